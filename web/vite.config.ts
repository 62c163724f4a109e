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
    // One sheet, and few scripts: a handful of requests costs less than sparing some bytes of another view's.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'base',
              // What of src/lib the first view does not need stays with those that do: it is waited for.
              test: /node_modules.svelte|src.lib.(?!text.(de|en|kit|photo)|kit|photo|upload.send|markdown|qr|keep|terms|agent|fleet|clipboard|quota|api.(search|shares|factor|kits)|state.(seeking|trash|addresses))|src.parts.(icons|Icon|Notice|Dialog|Menu|Standing|Rows|Thumb|ListEnd|Space)/,
            },
            // Links are given away from many places, and from none that is seen first.
            { name: 'links', test: /src.lib.(clipboard|api.shares|state.addresses)|src.parts.CopyField/ },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': SERVICE } },
});
