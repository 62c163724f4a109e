import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, loadEnv } from 'vite';

/** Where `npm run dev` finds a service; `cargo run -- serve` listens there. */
const SERVICE = loadEnv('', '.', 'HOLDFAST_')['HOLDFAST_URL'] ?? 'http://127.0.0.1:4620';

/** What of src/lib the first view does not need: it stays with those that do, and is waited for. */
const LATER = [
  'modal', 'mailed', 'passkey', 'text.(?!language|lost|problem)', 'kit', 'photo', 'pdf', 'plan', 'quick',
  'upload.send', 'upload.source', 'upload.give', 'upload.arrange', 'upload.refused', 'upload.receive', 'upload.take',
  'upload.drops', 'upload.asking', 'given', 'home', 'markdown', 'qr', 'keep', 'terms', 'agent', 'fleet', 'filed',
  'clipboard', 'quota', 'logo', 'accent', 'steer', 'media', 'thumbs', 'batch', 'pick', 'keys', 'space',
  'api.(?!files|http|session)', 'state.started', 'state.saving', 'state.reports', 'state.notices', 'state.seeking',
  'state.trash', 'state.marks', 'state.addresses', 'state.counts', 'state.browser', 'state.deeds', 'state.actions',
  'state.clip', 'state.folder', 'state.selection', 'state.narrow', 'state.sorts', 'state.layouts',
];

/** What of src/parts every page has. */
const FIRST = ['icons', 'Icon', 'Brand', 'Name', String.raw`Notice\.svelte`, 'Rows'];

const oneOf = (...paths: string[]): RegExp => new RegExp(paths.join('|'));

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
              test: new RegExp(`node_modules.svelte|src.lib.(?!${LATER.join('|')})|src.parts.(${FIRST.join('|')})`),
            },
            // Guests drop and choose as well.
            { name: 'take', test: /src.lib.(upload.take|pick)/ },
            // Rows of a folder, for its owner and for guests.
            {
              name: 'list',
              test: oneOf(
                String.raw`src.lib.(steer|media|thumbs|state.(folder|selection|narrow|sorts|layouts))`,
                String.raw`src.parts.(Thumb|ListEnd|Standing|EntryList|EntryRow|ListHead|SortMenu|LayoutSwitch|Crumbs)\.`,
              ),
            },
            // What surrounds all views of whoever is signed in, and their files with all that is done to them.
            {
              name: 'files',
              test: oneOf(
                String.raw`src.lib.(state.(browser|actions|clip)|upload.drops|keys|space)`,
                String.raw`src.parts.(Frame|FolderView|Toolbar|SearchField|Space)\.`,
                String.raw`src.views.(Files|inside)`,
              ),
            },
            // Whatever asks for something has these, and nothing does so unasked.
            { name: 'forms', test: /src.lib.modal|src.parts.Dialog/ },
            // Guests and firms need these as well, and not what follows: it asks as soon as it is there.
            { name: 'report', test: /src.lib.(api.reports|fleet-dates)/ },
            // Operators' pages ask what was reported, and what firms filed, as soon as they are there.
            { name: 'reports', test: /src.lib.(state.(counts|reports|notices)|api.notices|fleet-notices)/ },
            // Links are given away from many places, and from none that is seen first; which places have some, is asked there.
            { name: 'links', test: /src.lib.(clipboard|state.addresses)|src.parts.CopyField/ },
            { name: 'marks', test: /src.lib.(api.out|state.marks)/ },
          ],
        },
      },
    },
  },
  // What reads a PDF is a module with its own imports.
  worker: { format: 'es' },
  server: { proxy: { '/api': SERVICE } },
});
