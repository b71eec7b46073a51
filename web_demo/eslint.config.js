import js from '@eslint/js';

export default [
  { ignores: ['vendor/', 'bundle/', 'dist/'] },
  js.configs.recommended,
  // The TypeScript checker finds undefined names, and knows those of browsers.
  { rules: { 'no-undef': 'off' } },
  { rules: { eqeqeq: 'error', 'no-var': 'error', 'prefer-const': 'error' } },
];
