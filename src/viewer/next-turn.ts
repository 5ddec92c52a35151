/** Long work goes in slices: between two of them everybody else in the process has a turn. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
