/** The canary is heard by every server that answers; what it is answered is kept by nobody. */
import { expect, test } from 'vitest';
import { singWith } from '../src/actors/canary.ts';
import { CancelledFault, EngineFault } from '../src/errors.ts';
import { canaryGroup } from '../src/gpu/policy-update-canary.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import type { TokenReply, TokenRequest } from '../src/protocol/inference.ts';
import { call } from './support/calls.ts';

const never = new AbortController().signal;
const answering = (version: number) => ({
  generate: ({ id }: TokenRequest): Promise<TokenReply> =>
    Promise.resolve({
      id,
      version: version as PolicyVersion,
      samples: [{ ids: Int32Array.of(1), logprobs: Float32Array.of(-1), finish: 'length' as const }],
    }),
});
const failing = (fault: Error) => ({ generate: () => Promise.reject<TokenReply>(fault) });
const brokerOver = (engine: ReturnType<typeof answering>) => {
  const abandoned: string[] = [];
  return { abandoned, broker: { generate: engine.generate, abandon: (group: string) => void abandoned.push(group) } };
};
const requests = [call(1), call(2)];
const versions = async (engines: ReturnType<typeof answering>[], abandoned: string[] = []) => {
  const { broker, abandoned: given } = brokerOver(answering(3));
  const heard = await singWith(broker, engines, 500)(requests, never).finally(() => abandoned.push(...given));
  return heard.map((replies) => replies.map(({ version }) => version));
};

test('one server is asked through the broker, once', async () => {
  expect(await versions([failing(new EngineFault('asked directly'))])).toEqual([[3, 3]]);
});

test('of several each is asked, so that a stale one is heard whichever the broker would choose', async () => {
  expect(await versions([answering(3), answering(2)])).toEqual([
    [3, 3],
    [3, 3],
    [2, 2],
  ]);
});

test('one that does not answer is passed over, and a cancelled call is not', async () => {
  expect(await versions([answering(3), failing(new EngineFault('gone'))])).toEqual([
    [3, 3],
    [3, 3],
  ]);
  await expect(versions([answering(3), failing(new CancelledFault('over'))])).rejects.toBeInstanceOf(CancelledFault);
});

test('a server that hangs is waited for as long as a turn may take, not as long as the whole step', async () => {
  const asked: number[] = [];
  const slow = {
    generate: ({ deadlineMs }: TokenRequest) => {
      asked.push(deadlineMs);
      return Promise.reject<TokenReply>(new EngineFault('nothing came', { trouble: 'stalled' }));
    },
  };
  await versions([answering(3), slow]);
  expect([requests[0]?.deadlineMs, ...asked]).toEqual([60_000, 500, 500]);
});

test('the broker forgets the replies, whatever came of them', async () => {
  const abandoned: string[] = [];
  await versions([answering(3)], abandoned);
  await versions([answering(3), failing(new CancelledFault('over'))], abandoned).catch(() => undefined);
  expect(abandoned).toEqual([canaryGroup, canaryGroup]);
});
