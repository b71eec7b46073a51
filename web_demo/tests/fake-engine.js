// @ts-nocheck: the real engine has the types.
/**
 * Stands in for engine/engine.js in tests of the page: same calls, made-up answers, no models. A
 * test steers it by `window.fake`, before the page loads.
 */

const settings = { ms: 30, ...globalThis.fake };

export class EngineError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export class Engine {
  constructor(options) {
    this.facts = {
      name: 'fake',
      notice: 'A face swap can hurt people. Swap only faces of people who agreed to it.',
      precision: options.precision,
      file: `generator-${options.precision}.tflite`,
      runtime_requested: options.runtime,
      runtime_used: options.runtime,
      runtime_reason: null,
      threads_requested: options.threads,
      threads_used: options.threads,
      threads_reason: null,
      precision_reason: null,
      generators: ['generator-int8.tflite', 'generator-fp32.tflite'],
      size: 256,
    };
  }

  static async open({ onProgress, ...options }) {
    if (settings.openError) throw new EngineError(...settings.openError);
    for (let part = 0; part <= 4; part++) {
      const what = part < 2 ? 'identity-fp32.tflite' : `generator-${options.precision}.tflite`;
      onProgress({ loaded_bytes: part * 2e6, total_bytes: 8e6, what });
      await wait(settings.openMs ?? 10);
    }
    if (settings.stuckAt !== undefined) await wait(1e9);
    return new Engine(options);
  }

  async selfTest() {
    const { precision, runtime_used: runtime } = this.facts;
    const psnr_db = precision === 'int8' ? 38.2 : 137.1;
    return {
      passed: true,
      psnr_db,
      bar_db: precision === 'int8' ? 30 : 60,
      identity_cosine: 1,
      runtime,
      text: `self-test ${psnr_db} dB on ${runtime}`,
    };
  }

  async embed(picture) {
    await wait(settings.ms);
    if (settings.noSource)
      throw new EngineError('no-face', 'The picture shows no face. Choose another.');
    return new Float32Array(512).fill(picture.width ? 0.04419 : 0);
  }

  async embeddingFromFile(file) {
    if (file.byteLength < 2048) {
      throw new EngineError(
        'bad-picture',
        'The file is no embedding. Expected an .npy of 512 numbers.',
      );
    }
    return new Float32Array(512).fill(0.04419);
  }

  async swapPhoto(picture) {
    await wait(settings.ms);
    if (settings.noTarget)
      throw new EngineError('no-face', 'The picture shows no face. Choose another.');
    return answer(picture, true);
  }

  async swapFrame(frame) {
    await wait(settings.ms);
    const found = answer(frame, !settings.noFrames);
    frame.close();
    return found;
  }

  async resetTracking() {}

  async measure({
    runs = 10,
    precisions = ['int8', 'fp32'],
    runtimes = ['wasm'],
    threads = 1,
    signal,
    onProgress,
  }) {
    const rows = [];
    for (const precision of precisions) {
      for (const runtime of runtimes) {
        onProgress({
          done: rows.length,
          total: precisions.length * runtimes.length,
          what: `${precision} on ${runtime}`,
        });
        await wait(settings.measureMs ?? 50);
        signal?.throwIfAborted();
        rows.push(row(precision, runtime, threads, runs));
      }
    }
    return rows;
  }

  close() {}
}

function answer(picture, found) {
  const { width, height } = picture;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(picture, 0, 0);
  const image = context.getImageData(0, 0, width, height);
  if (found) {
    // A tinted ellipse where a face may be: visible in screenshots.
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inside = ((x / width - 0.5) / 0.2) ** 2 + ((y / height - 0.38) / 0.24) ** 2 < 1;
        if (inside)
          image.data[(y * width + x) * 4] = Math.min(255, image.data[(y * width + x) * 4] + 60);
      }
    }
  }
  return {
    picture: image,
    faces: found ? [{ points: [], score: 0.9 }] : [],
    stages_ms: { detect: 21.4, align: 1.9, generate: 428.2, blend: 3.1, total: 455.6 },
  };
}

function row(precision, runtime, threads, runs) {
  const stage = (ms) => ({
    n: runs,
    mean_ms: ms,
    p50_ms: ms,
    p90_ms: ms * 1.1,
    p99_ms: ms * 1.2,
    min_ms: ms * 0.9,
    max_ms: ms * 1.2,
  });
  const ms = precision === 'int8' ? 455.6 : 1015.2;
  return {
    schema: 1,
    source: 'web',
    device: { model: 'Chromium', os: 'Linux', soc: 'x86', cores: 2 },
    app: { version: '1', commit: 'unknown' },
    model: {
      name: 'generator',
      file: `generator-${precision}.tflite`,
      sha256: '00',
      format: 'tflite',
      precision,
      bytes: 2150000,
    },
    backend: { requested: runtime, used: runtime, threads },
    runs: { warmup: 2, n: runs },
    load_ms: 212.3,
    first_ms: ms * 1.4,
    stages: { generate: stage(ms * 0.95), total: stage(ms) },
    check: { psnr_db: precision === 'int8' ? 38.2 : 137.1 },
    how: 'measured',
  };
}
