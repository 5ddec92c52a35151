/** The only view of time the broker and the engines have; actors/ supplies the real one, tests a simulated one. It knows nothing of what is waited for. */

export interface Clock {
  /** Monotone milliseconds from an arbitrary origin; never wall time. */
  now(): number;
  /** Calls `wake` once after `ms`; the returned function takes the appointment back. */
  after(ms: number, wake: () => void): () => void;
}
