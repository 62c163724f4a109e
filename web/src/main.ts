import { mount } from 'svelte';

import App from './App.svelte';
import './tokens.css';
import './base.css';
import { texts } from './lib/text/language.svelte';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
await texts.start();
mount(App, { target });
