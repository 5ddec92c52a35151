/** How an episode's events are cut into windows: by the page that asks for them, and by whoever puts all of them into a file. */

/** Events a window holds. */
export const windowSize = 100;

/** `episode`: the address of its API. */
export const windowPath = (episode: string, window: number): string => `${episode}/events?from=${window * windowSize}&count=${windowSize}`;
