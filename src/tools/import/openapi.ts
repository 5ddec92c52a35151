/** Reads OpenAPI 3.0 and 3.1 documents, JSON or YAML, one or a folder of them: every operation a tool. Lists what there is; calls nothing and fetches nothing. */
import { ConfigFault, TroupeFault } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import { isHostileKey, isRecord } from '../schema.ts';
import type { Rejection } from '../sieve.ts';
import { schemeParameters } from './credentials.ts';
import { Documents, filesOf } from './documents.ts';
import { proseOf } from './json-schema/keywords.ts';
import type { Located } from './json-schema/reference.ts';
import { derefer, type Operation, readOperation, type Service } from './operation.ts';
import type { Candidates } from './source.ts';

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const mostOperations = 50_000;

/**
 * The tools of each document in turn: one file, or all of a folder. Throws ConfigFault for a file that cannot be read as OpenAPI 3;
 * in a folder such a file is a rejection, and the others are read.
 */
export function* readOpenApi(source: string): Generator<Candidates> {
  const { root, files, whole } = filesOf(source);
  for (const file of files) {
    try {
      yield readDocument(new Documents(root), file);
    } catch (error) {
      if (!whole || !(error instanceof TroupeFault)) throw error;
      yield { file, tools: [], rejected: [{ name: file, source: file, reason: error.message.replace(`${file}: `, '') }], cuts: [] };
    }
  }
}

function readDocument(documents: Documents, file: string): Candidates {
  const root = documents.open(file);
  if (!isRecord(root)) throw new ConfigFault(`${file}: no OpenAPI document`);
  refuseOthers(root, file);
  const service = serviceOf(root, documents, file);
  const tools: ToolSpec[] = [];
  const rejected: Rejection[] = [];
  const cuts: string[] = [];
  for (const found of operationsOf(root, documents, file)) {
    const source = `${file}#/paths/${found.path.replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 300)}/${found.method}`;
    const name = nameOf(found);
    const reading = 'reason' in found ? { ok: false as const, reason: found.reason } : readOperation(found, service, name, source);
    if (reading.ok) {
      tools.push(reading.tool);
      cuts.push(...reading.cuts);
    } else rejected.push({ name, source, reason: reading.reason });
    if (tools.length + rejected.length > mostOperations) throw new ConfigFault(`${file}: more than ${mostOperations} operations`);
  }
  return { file, tools, rejected, cuts };
}

function refuseOthers(root: JsonObject, file: string): void {
  const { openapi, swagger } = root;
  if (swagger !== undefined) throw new ConfigFault(`${file}: Swagger 2: convert it to OpenAPI 3 first`);
  const version = typeof openapi === 'number' ? String(openapi) : openapi;
  if (typeof version !== 'string') throw new ConfigFault(`${file}: no OpenAPI document: "openapi" is missing`);
  if (!/^3(\.\d|$)/.test(version)) throw new ConfigFault(`${file}: OpenAPI ${version.slice(0, 20)}, not 3`);
}

function serviceOf(root: JsonObject, documents: Documents, file: string): Service {
  const info = isRecord(root['info']) ? root['info'] : {};
  const license = isRecord(info['license']) ? info['license'] : {};
  const licence = proseOf(license['identifier'] ?? license['name'], 100);
  const kinds = info['x-apisguru-categories'];
  const kind = proseOf(Array.isArray(kinds) ? kinds[0] : undefined, 60);
  const title = proseOf(info['title'], 60);
  const components = isRecord(root['components']) ? root['components'] : {};
  return {
    resolve: documents.resolve,
    licence: licence === '' ? undefined : licence,
    credentials: schemeParameters(components['securitySchemes']),
    category: ({ tags }) => categoryOf(kind, proseOf(Array.isArray(tags) ? tags[0] : undefined, 60), title, file),
  };
}

/** The directory's word for it, the operation's first tag, the title, the file: the first that says something. */
const categoryOf = (...candidates: readonly string[]): string => candidates.find((text) => text !== '' && !isHostileKey(text)) ?? 'other';

type Found = Operation | (Pick<Operation, 'path' | 'method'> & { readonly reason: string });

function* operationsOf(root: JsonObject, documents: Documents, file: string): Generator<Found> {
  const { paths } = root;
  if (paths === undefined) return;
  if (!isRecord(paths)) throw new ConfigFault(`${file}: paths is no object`);
  for (const [path, entry] of Object.entries(paths)) {
    if (path.startsWith('x-')) continue;
    const item = derefer(located(entry, file), documents.resolve);
    if (typeof item === 'string') {
      yield { path, method: '*', reason: item };
      continue;
    }
    const described = item.value as JsonObject;
    for (const method of methods) {
      const operation = described[method];
      if (operation === undefined) continue;
      if (isRecord(operation)) yield { path, method, item, at: { ...item, value: operation } };
      else yield { path, method, reason: 'a description is no object' };
    }
  }
}

const located = (value: JsonValue, file: string): Located => ({ value, base: file, open: [] });

/** `operationId`, else method and path in words. */
function nameOf(found: Found): string {
  const id = 'at' in found && isRecord(found.at.value) ? found.at.value['operationId'] : undefined;
  return typeof id === 'string' && /[A-Za-z0-9]/.test(id)
    ? id.slice(0, 400)
    : `${found.method}_${found.path.slice(0, 200)}`.replaceAll(/[^A-Za-z0-9]+/g, '_');
}
