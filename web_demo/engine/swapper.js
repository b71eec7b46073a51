/** @import { Manifest, ModelSpec } from '../core/manifest.js' */
/** @import { Picture, Pyramid } from '../core/warp.js' */
/** @import { Stages } from './engine.js' */
/** @import { Face } from './face.js' */
/** @import { LoadedModel } from './runtime.js' */
import { fitSimilarity } from '../core/fit.js';
import { fivePoints } from '../core/mesh.js';
import { pasteBack } from '../core/paste.js';
import { EngineError } from './errors.js';
import { frontal } from './face.js';
import { expectFinite, toPicture, toTensor, unit } from './tensors.js';

/** @typedef {{ model: LoadedModel, spec: ModelSpec }} Specified a model with what the manifest says of it */

/** The generator and the identity encoder of a bundle: align, generate, put back. */
export class Swapper {
  #generator;
  #encoder;
  #target;
  #embedding;
  #template;
  #cut;

  /**
   * @param {Manifest} manifest
   * @param {Specified} generator
   * @param {Specified | null} encoder
   */
  constructor(manifest, generator, encoder) {
    this.#generator = generator;
    this.#encoder = encoder;
    const { inputs } = generator.spec;
    this.#target = expectInput(inputs, 'target');
    this.#embedding = expectInput(inputs, 'embedding');
    /** Edge of an aligned face in pixels. */
    this.size = this.#target.shape[2];
    const grow = this.size / manifest.align.size;
    this.#template = manifest.align.template.map(
      ([x, y]) => /** @type {[number, number]} */ ([x * grow, y * grow]),
    );
    this.#cut = new Uint8Array(this.size ** 2 * 3);
  }

  /** Length of an identity. */
  get embeddingSize() {
    return this.#embedding.shape[1];
  }

  /**
   * The generator's file.
   *
   * @returns {ModelSpec}
   */
  get spec() {
    return this.#generator.spec;
  }

  /**
   * The raw picture that the generator gives for an aligned face.
   *
   * @param {Uint8Array} aligned size x size RGB
   * @param {Float32Array} embedding
   */
  async generate(aligned, embedding) {
    const { model, spec } = this.#generator;
    const given = {
      [this.#target.name]: toTensor(aligned, this.#target),
      [this.#embedding.name]: Float32Array.from(embedding),
    };
    return (await model.run(given))[spec.outputs[0].name];
  }

  /**
   * The identity of an aligned face.
   *
   * @param {Uint8Array} aligned size x size RGB
   * @returns {Promise<Float32Array>} unit norm
   * @throws {EngineError} `not-found` or `not-finite`
   */
  async embed(aligned) {
    if (!this.#encoder) {
      throw new EngineError(
        'not-found',
        'The bundle has no identity encoder as TFLite: a photo cannot be a source. ' +
          'Choose an embedding file, or export with --identity.',
      );
    }
    const { model, spec } = this.#encoder;
    const answer = await model.run({ [spec.inputs[0].name]: toTensor(aligned, spec.inputs[0]) });
    const values = answer[spec.outputs[0].name];
    expectFinite(values, spec.outputs[0].name);
    return unit(Float32Array.from(values), 'The identity');
  }

  /** Whether the bundle has an identity encoder. */
  get canEmbed() {
    return this.#encoder !== null;
  }

  /** Whether the generator's runtime computes all of it. */
  get complete() {
    return this.#generator.model.complete;
  }

  /** Free the generator's memory. */
  close() {
    this.#generator.model.close();
  }

  /**
   * A face cut out of a picture so that its five points lie on the manifest's template.
   *
   * @param {Pyramid} pyramid
   * @param {Face} face
   */
  align(pyramid, face) {
    const matrix = fitSimilarity(fivePoints(face.mesh), this.#template);
    const { size } = this;
    const cut = pyramid.cut(matrix, size, size, true, this.#cut);
    return { matrix, aligned: /** @type {Uint8Array} */ (cut.data) };
  }

  /**
   * A copy of a picture with an identity on its faces. Each face is cut out of the picture as it
   * came. A face that turns away from the camera fades out.
   *
   * @param {Pyramid} pyramid
   * @param {Face[]} faces
   * @param {Float32Array} embedding
   * @param {Stages} stages the time of each is added
   * @returns {Promise<Picture>}
   * @throws {EngineError} `not-finite`
   */
  async put(pyramid, faces, embedding, stages) {
    const { picture } = pyramid;
    const result = { ...picture, data: Uint8Array.from(picture.data) };
    for (const face of faces) {
      const opacity = frontal(face);
      if (!opacity) continue;
      const start = performance.now();
      const { matrix, aligned } = this.align(pyramid, face);
      const cut = performance.now();
      const raw = await this.generate(aligned, embedding);
      const made = performance.now();
      const swapped = toPicture(raw, this.spec.outputs[0]);
      pasteBack(result, swapped, aligned, this.size, matrix, face.mesh, opacity);
      stages.align += cut - start;
      stages.generate += made - cut;
      stages.blend += performance.now() - made;
    }
    return result;
  }
}

/**
 * @param {ModelSpec['inputs']} inputs
 * @param {string} name
 */
function expectInput(inputs, name) {
  const found = inputs.find((tensor) => tensor.name === name);
  if (found) return found;
  throw new EngineError('bad-manifest', `The generator has no input '${name}'. Export it again.`);
}
