/** How vLLM 0.32 says no: statuses and error bodies, word for word where a client could read them. Knows no request. */

/** Thrown by whatever reads a request; answered as it stands. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly type: string;
  readonly param: string | null;

  constructor(status: number, type: string, message: string, param: string | null = null) {
    super(message);
    this.status = status;
    this.type = type;
    this.param = param;
  }

  body(): string {
    return JSON.stringify({ error: { message: this.message, type: this.type, param: this.param, code: this.status } });
  }
}

/** A value out of range, found after the types were right. */
export const badRequest = (message: string, param: string | null = null): Refusal => new Refusal(400, 'BadRequestError', message, param);

/** One finding of the type check, as pydantic words it. */
export interface Finding {
  readonly type: string;
  readonly loc: string;
  readonly msg: string;
  readonly input: unknown;
}

export function invalid(findings: readonly [Finding, ...Finding[]]): Refusal {
  const lines = findings.map(
    ({ type, loc, msg, input }) => `  {'type': '${type}', 'loc': '${loc}', 'msg': '${msg}', 'input': ${shown(input)}}`,
  );
  const plural = findings.length === 1 ? '' : 's';
  return new Refusal(400, 'Bad Request', `${findings.length} validation error${plural}:\n${lines.join('\n')}`, findings[0].loc);
}

function shown(input: unknown): string {
  if (Array.isArray(input)) return `'<list of ${input.length} items>'`;
  if (typeof input === 'object' && input !== null) return `'<dict of ${Object.keys(input).length} items>'`;
  return `'${String(input)}'`;
}

export const notJson = (): Refusal => invalid([{ type: 'json_invalid', loc: 'body.0', msg: 'JSON decode error', input: {} }]);

export const unsupportedType = (): Refusal =>
  new Refusal(400, 'Bad Request', "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed");

export const unknownModel = (model: string, known: readonly string[]): Refusal =>
  new Refusal(404, 'NotFoundError', `The model \`${model}\` does not exist. Valid aliases: ${known.join(', ')}.`, 'model');

export const tooBusy = (): Refusal =>
  new Refusal(
    503,
    'Service Unavailable',
    'The engine is currently busy and cannot accept new requests. Please try again later or on a different instance.',
  );

export const internal = (message = 'Internal server error'): Refusal => new Refusal(500, 'InternalServerError', message);
