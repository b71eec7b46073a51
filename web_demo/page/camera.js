/** Opens and closes cameras. */
import { PageError } from './faults.js';

/**
 * Show a camera in a video element.
 *
 * @param {HTMLVideoElement} video
 * @param {string} [deviceId] one of `cameras()`; any that faces the user where it is left out
 * @param {() => void} [onLost] called when the camera is unplugged, or taken away
 * @returns {Promise<string>} id of the camera that was opened
 * @throws {PageError} there is none, or it may not be used
 */
export async function startCamera(video, deviceId, onLost) {
  if (!navigator.mediaDevices?.getUserMedia) throw new PageError('camera-insecure');
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: 'user' };
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { ...which, ...size } });
  } catch (error) {
    throw new PageError(reasonOf(error));
  }
  stopCamera(video);
  video.srcObject = stream;
  await video.play();
  const [track] = stream.getVideoTracks();
  if (onLost) track.addEventListener('ended', onLost);
  return track.getSettings().deviceId ?? '';
}

/**
 * Let go of the camera that `video` shows; its light goes out.
 *
 * @param {HTMLVideoElement} video
 */
export function stopCamera(video) {
  if (!(video.srcObject instanceof MediaStream)) return;
  for (const track of video.srcObject.getTracks()) track.stop();
  video.srcObject = null;
}

/** Cameras of this device; their names are known once one was allowed. */
export async function cameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === 'videoinput');
}

/** @param {unknown} error */
function reasonOf(error) {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'camera-denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'camera-none';
  return 'camera-busy';
}
