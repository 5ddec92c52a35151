/** Bytes from outside as text: UTF-8, or a fault that says so. Knows no format and opens no file. */
import { ConfigFault } from '../errors.ts';

/** Throws ConfigFault for any other encoding, and for text with zero bytes: UTF-16 without its mark reads so. */
export function textOfBytes(bytes: Uint8Array, name: string): string {
  let text: string | undefined;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    text = undefined;
  }
  if (text === undefined || text.slice(0, 1000).includes('\0')) throw new ConfigFault(`${name}: not UTF-8: save it as UTF-8 first`);
  return text;
}
