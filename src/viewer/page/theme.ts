/** Light, dark, or as the system has it. The choice is this browser's; style sheets do the rest. */
import { effect, signal } from '@preact/signals';
import { store, stored } from './stored.ts';

export type Theme = 'system' | 'light' | 'dark';

const kept = stored('theme');
export const theme = signal<Theme>(kept === 'light' || kept === 'dark' ? kept : 'system');

const dark = matchMedia('(prefers-color-scheme: dark)');
const systemDark = signal(dark.matches);
dark.addEventListener('change', () => (systemDark.value = dark.matches));

/** What is shown; canvases ask, because a style sheet cannot reach into them. */
export const shownTheme = (): 'light' | 'dark' => (theme.value === 'system' ? (systemDark.value ? 'dark' : 'light') : theme.value);

effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
  store('theme', theme.value);
});

const after: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
export const nextTheme = (): void => {
  theme.value = after[theme.peek()];
};
