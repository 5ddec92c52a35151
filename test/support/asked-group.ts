/** A recorded group whose user, tools and judge a language model plays over HTTP: real broker, real engine, a fake server, and between the two somebody who keeps every body that was sent. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../src/actors/clock.ts';
import { enveloped } from '../../src/actors/envelope.ts';
import { runGroup } from '../../src/actors/group.ts';
import type { GroupJob, GroupSimulation } from '../../src/actors/ports.ts';
import { configOf } from '../../src/config.ts';
import { createBroker } from '../../src/gpu/broker.ts';
import type { BrainDials } from '../../src/gpu/engines/fake/brain.ts';
import { teacher } from '../../src/gpu/engines/scripted-teacher.ts';
import type { TokenRequest } from '../../src/protocol/inference.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import type { PolicyVersion, RunId } from '../../src/protocol/ids.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { SimulatorRole } from '../../src/protocol/outcome.ts';
import { createFolder, type RunFolder } from '../../src/record/folder.ts';
import { startRecord } from '../../src/record/record.ts';
import type { Simulators } from '../../src/simulation/contract.ts';
import { lmSimulators } from '../../src/simulation/lm/simulators.ts';
import { oracle, play } from '../../src/simulation/procedural/oracle.ts';
import { proceduralSimulators } from '../../src/simulation/procedural/simulators.ts';
import { engineOver, fakeHome } from './fake-house.ts';
import { lmSettings } from './lm-groups.ts';
import { renderer } from './playhouse.ts';
import { recording } from './sample-run.ts';

export interface AskedGroup {
  readonly folder: RunFolder;
  readonly group: RolloutGroup;
  /** Bodies of the chat calls as they came in, oldest first. */
  readonly received: readonly string[];
}

const contextLength = 65_536;

/** Into `<root>/runs/<name>`. */
export async function recordAskedGroup(
  root: string,
  name: string,
  job: GroupJob,
  { brain = {}, simulation = {} }: { readonly brain?: Partial<BrainDials>; readonly simulation?: Partial<GroupSimulation> } = {},
): Promise<AskedGroup> {
  const { house, engine: unused } = await fakeHome({ contextLength, brain });
  await unused.close();
  const received: string[] = [];
  const ear = await listening(house.url, received);
  const engine = engineOver(ear.url, { contextLength });
  const folder = createFolder(join(root, 'runs'), name);
  const roles = { task: 'procedural', user: 'lm', tool: 'lm', judge: 'lm' } as const;
  const config = configOf({ name, roles, engine: { kind: 'fake' }, record: { dir: join(root, 'runs') } }) as unknown as JsonObject;
  const record = await startRecord(folder, { run: name as RunId, ...recording }, { version: '0', config });
  const broker = createBroker({
    engines: [engine],
    clock: systemClock,
    seed: 1,
    version: 0 as PolicyVersion,
    record: (frame) => record.append(frame),
  });
  const { signal } = new AbortController();
  const taught = teacher({ renderer, turnsOf: (task) => play(task, oracle).turns, skill: () => 1 });
  taught.learn(job.group, job.task);
  const generate = (request: TokenRequest) => {
    const ids = taught.policy(request, request.seed, job.version) as TokenRequest['ids'];
    const logprobs = new Float32Array(ids.length).fill(-0.1);
    return Promise.resolve({ id: request.id, version: job.version, samples: [{ ids, logprobs, finish: 'stop' as const }] });
  };
  try {
    record.append({ kind: 'task.issued', step: job.step, task: job.task });
    const played: GroupSimulation = {
      roles: ['user', 'tool', 'judge'],
      shared: true,
      cache: true,
      toolSeesIntent: false,
      fidelity: 0,
      votes: 1,
      scope: 'episode',
      ...simulation,
    };
    const chat = (request: Parameters<NonNullable<typeof broker.chat>>[0]) =>
      (broker.chat as NonNullable<typeof broker.chat>)(request, signal);
    const ports = {
      generate,
      chat,
      record: (events: Parameters<Parameters<typeof runGroup>[1]['record']>[0]) => record.append({ kind: 'events', events }),
      simulators: castOf(played.roles ?? []),
      renderer,
      clock: systemClock,
    };
    const group = await runGroup({ ...job, simulation: played }, ports, signal);
    record.append({ kind: 'group.sealed', ...enveloped(group) });
    return { folder, group, received };
  } finally {
    await broker.close();
    await engine.close();
    await record.close();
    ear.close();
    await house.close();
  }
}

/** A model plays these roles, code the others. */
function castOf(roles: readonly SimulatorRole[]): Simulators {
  const [played, coded] = [lmSimulators(lmSettings), proceduralSimulators()];
  const { panel } = played;
  return {
    task: coded.task,
    user: (roles.includes('user') ? played : coded).user,
    tool: (roles.includes('tool') ? played : coded).tool,
    judge: (roles.includes('judge') ? played : coded).judge,
    ...(panel === undefined ? {} : { panel }),
  };
}

/** Passes everything on, and keeps what chat calls said. */
async function listening(upstream: string, received: string[]): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      if (request.url === '/v1/chat/completions') received.push(body);
      const init = request.method === 'POST' ? { method: 'POST', headers: { 'content-type': 'application/json' }, body } : {};
      fetch(`${upstream}${request.url ?? ''}`, init).then(
        async (answer) => {
          response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' });
          response.end(await answer.text());
        },
        () => response.destroy(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
