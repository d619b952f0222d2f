import { defineConfig } from 'vite';

// Every URL in the built files is relative: the collector serves them under any base path. Nothing is inlined, because the content security
// policy allows neither data: pictures nor scripts and styles in the page.
export default defineConfig({
  base: './',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'chrome123',
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: { index: 'index.html', login: 'login.html' },
      // Each page's part is its folder's page.tsx.
      output: { chunkFileNames: ({ name, facadeModuleId }) => `assets/${name === 'page' ? (facadeModuleId ?? 'page').split('/').at(-2) : name}-[hash].js` },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
