/** Who waits for a call: any number of askers of the same question. Knows promises and signals; what becomes of a call that nobody wants is for its owner to say. */
import { CancelledFault, type TroupeFault } from '../errors.ts';
import type { Bytes } from '../protocol/codec.ts';
import type { Call } from './call.ts';

/** One asker more. The last one that cancels takes the call with it, by `abandon`; one that merely dies does not. */
export function attend(call: Call, signal: AbortSignal, abandon: (fault: CancelledFault) => void): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    const leave = (): void => signal.removeEventListener('abort', cancel);
    const waiter = {
      resolve: (bytes: Bytes): void => {
        leave();
        resolve(bytes);
      },
      reject: (fault: TroupeFault): void => {
        leave();
        reject(fault);
      },
    };
    const cancel = (): void => {
      const fault = new CancelledFault(`call ${call.id} was cancelled`);
      if (call.waiters.size === 1) return abandon(fault);
      call.waiters.delete(waiter);
      waiter.reject(fault);
    };
    call.waiters.add(waiter);
    signal.addEventListener('abort', cancel, { once: true });
  });
}
