import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, loadEnv } from 'vite';

/** Where `npm run dev` finds a service; `cargo run -- serve` listens there. */
const SERVICE = loadEnv('', '.', 'HOLDFAST_')['HOLDFAST_URL'] ?? 'http://127.0.0.1:4620';

export default defineConfig({
  // Addresses of scripts and styles are relative, and `<base>` in index.html says to what: the page then works at any
  // depth of the history and below any path, without being built again.
  base: './',
  plugins: [svelte()],
  build: {
    target: 'es2022',
    // An inlined asset would be a data: address, which the content security policy allows for images only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': SERVICE } },
});
