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
    modulePreload: {
      polyfill: false,
      // What a script needs besides is asked for with it. Itself it is asked for anyway, and the base is there: naming
      // them would make the first view longer.
      resolveDependencies: (script, needed, { hostType }) =>
        hostType === 'html' ? needed : needed.filter((one) => one !== script && !/(base|index)-[^/]*$/.test(one)),
    },
    // One sheet, and few scripts: a handful of requests costs less than sparing some bytes of another view's.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'base',
              // What of src/lib the first view does not need stays with those that do: it is waited for.
              test: /node_modules.svelte|src.lib.(?!text.(de|en|fleet|keys|kit|photo|request|report|about|full|people|second|service|leave|grant|home|sums)|kit|photo|upload.(send|give|arrange)|given|home|markdown|qr|keep|terms|agent|fleet|clipboard|quota|logo|accent|api.(reports|service|search|shares|grants|factor|kits)|state.(started|saving|reports|seeking|trash|marks|addresses))|src.parts.(icons|Icon|Brand|Notice|Dialog|Menu|Standing|Rows|Thumb|ListEnd|Space)/,
            },
            // Operators' pages ask what was reported as soon as they are there.
            { name: 'reports', test: /src.lib.(api|state).reports/ },
            // Links are given away from many places, and from none that is seen first.
            { name: 'links', test: /src.lib.(clipboard|api.shares|state.addresses)|src.parts.CopyField/ },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': SERVICE } },
});
