/** How what is long is cut into windows: by the page that asks for them, and by whoever puts all of them into a file. */

/** Events a window holds. */
export const windowSize = 100;

/** Tokens a window holds. */
export const stripWindowSize = 1000;

/** `episode`: the address of its API. */
export const windowPath = (episode: string, window: number): string => `${episode}/events?from=${window * windowSize}&count=${windowSize}`;

/** A window of one of its strips; likewise. */
export const stripPath = (episode: string, strip: number, window: number): string =>
  `${episode}/strips/${strip}?from=${window * stripWindowSize}&count=${stripWindowSize}`;
