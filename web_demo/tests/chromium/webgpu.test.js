import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { launch, testServer, whyNot } from '../chromium.js';

const SOFTWARE_GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

describe('WebGPU in Chromium', { skip: whyNot() }, () => {
  test('the generator passes its golden sample on SwiftShader', async (context) => {
    const server = await testServer();
    const browser = await launch(SOFTWARE_GPU);
    try {
      const page = await browser.newPage();
      await page.goto(`${server.origin}/empty.html`);
      const found = await page.evaluate(async () => {
        const gpu = /** @type {any} */ (navigator).gpu;
        if (!(await gpu?.requestAdapter())) return null;
        const { Engine } = await import('/engine/engine.js');
        const start = performance.now();
        const engine = await Engine.open({
          bundleUrl: 'bundle',
          precision: 'fp32',
          runtime: 'webgpu',
        });
        return { ...engine.facts, seconds: (performance.now() - start) / 1000 };
      });
      if (!found) return context.skip('NO WEBGPU: this Chromium has no SwiftShader adapter');
      console.log(
        `# opened and compared in ${found.seconds.toFixed(0)} s on ${found.runtime_used}`,
      );
      assert.equal(found.runtime_used, 'webgpu', found.runtime_reason ?? '');
    } finally {
      await browser.close();
      server.close();
    }
  });
});
