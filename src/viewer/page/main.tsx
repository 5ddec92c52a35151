/** Where the page begins. */
import './style/index.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { keepPlaces } from './kept-place.ts';
import { listenToKeys } from './keys.ts';
import { listen, route } from './navigation.ts';
import { askWhere } from './place.ts';

listen(() => {
  const at = route.value;
  if (at.page === 'episode') return `${at.episode} · ${at.run} · Troupe`;
  if (at.page === 'group') return `${at.group} · ${at.run} · Troupe`;
  if (at.page === 'run') return `${at.run} · Troupe`;
  return 'Troupe';
});
listenToKeys();
askWhere();
render(<App />, document.body);
keepPlaces();
