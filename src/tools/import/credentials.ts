/** Which parameters of an API carry who is asking, not what is asked: no model is to fill those in. Knows OpenAPI's security schemes and the usual names. */
import type { JsonValue } from '../../protocol/json.ts';
import { isRecord } from '../schema.ts';

/** Headers that describe the message, as the standard has them, and those of a signature (Amazon's, Google's). */
const transport =
  /^(accept(-.*)?|content-(type|length|encoding|md5)|user-agent|host|origin|referer|connection|cache-control|if-(none-)?match|x-amz-.*|x-goog-.*|x-request-id|x-correlation-id|traceparent|tracestate)$/i;
/** `token` alone is often a page; with a word before it, a credential. */
const secret =
  /^(x[-_])?((proxy[-_])?authorization|cookie|api[-_]?key|apikey|app[-_]?key|app[-_]?id[-_]?secret|auth([-_]?(token|key))?|(access|bearer|id|session|csrf|xsrf|refresh|api|oauth|security|user|app)[-_]?token|oauth[-_].*|client[-_]?secret|secret([-_]?key)?|password[-_]?hash|subscription[-_]?key|ocp-apim-subscription-key|rapidapi[-_](key|host)|signature)$/i;

/** `in:name` of each parameter that a security scheme of the document names. */
export function schemeParameters(schemes: JsonValue | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  if (!isRecord(schemes)) return names;
  for (const scheme of Object.values(schemes)) {
    if (!isRecord(scheme) || scheme['type'] !== 'apiKey') continue;
    const { in: place, name } = scheme;
    if (typeof place === 'string' && typeof name === 'string') names.add(`${place}:${name.toLowerCase()}`);
  }
  return names;
}

/** Cookies always; of headers what is named so by a scheme or by custom, and what HTTP itself needs; of queries the secrets. A path is never complete without its parts. */
export function carriesCredentials(place: string, name: string, schemes: ReadonlySet<string>): boolean {
  if (place === 'path') return false;
  if (place === 'cookie' || schemes.has(`${place}:${name.toLowerCase()}`)) return true;
  return secret.test(name.slice(0, 100)) || (place === 'header' && transport.test(name.slice(0, 100)));
}
