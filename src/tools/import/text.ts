/** JSON or YAML text from outside to a plain value, with every bound decided before a recursive reader sees it. It knows no tool, no schema and no file. */
import { Composer, isAlias, Lexer, Parser, visit } from 'yaml';
import { boundarySync, ConfigFault } from '../../errors.ts';
import type { JsonValue } from '../../protocol/json.ts';
import { checkShape, deepest, sayable } from '../shape.ts';

/** YAML is read at about a megabyte a second, JSON a hundred times faster. */
const longestYaml = 12 * 1024 * 1024;
/** The yaml package makes about ten of them a line; more is no document but a burden. */
const mostLexemes = 6_000_000;
const mostAliases = 1000;

/** The value of a JSON or YAML text. Throws ConfigFault for what is neither, too deep, too large, or an alias bomb. */
export function parseText(text: string, name: string): JsonValue {
  const trimmed = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const json = /^\s*[[{]/.test(trimmed.slice(0, 1000)) ? jsonOf(trimmed) : undefined;
  const value = json === undefined ? yamlOf(trimmed, name) : json.value;
  checkShape(value, name, 'kept');
  return sayable(value, trimmed);
}

/** Undefined for text that is no JSON: YAML may begin with a bracket too. JSON.parse does not recurse. */
function jsonOf(text: string): { readonly value: JsonValue } | undefined {
  try {
    return { value: JSON.parse(text) as JsonValue };
  } catch {
    return undefined;
  }
}

function yamlOf(text: string, name: string): JsonValue {
  if (text.length > longestYaml)
    throw new ConfigFault(`${name}: no JSON, and too long for YAML (${longestYaml / 1024 / 1024} MiB): convert it to JSON`);
  return boundarySync(ConfigFault, `${name} is neither JSON nor YAML`, () => {
    // Keys are not compared with each other (uniqueKeys): that takes time with the square of their number.
    const composer = new Composer({ schema: 'core', uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
    const [document, second] = composer.compose(tokensOf(text, name));
    if (document === undefined) throw new ConfigFault(`${name}: empty`);
    // A tag nobody knows is only a warning to the parser; to us it is not plain data.
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined)
      throw new ConfigFault(`${name}:${lineAt(text, problem.pos[0])} is neither JSON nor YAML: ${problem.message.slice(0, 200)}`);
    if (second !== undefined) throw new ConfigFault(`${name}:${lineAt(text, second.range[0])}: a second document: split the file`);
    let aliases = 0;
    visit(document, (_key, node) => {
      if (isAlias(node) && ++aliases > mostAliases) throw new ConfigFault(`${name}: more than ${mostAliases} aliases`);
    });
    return document.toJS({ maxAliasCount: mostAliases }) as JsonValue;
  });
}

/** Counted from 1. */
const lineAt = (text: string, position: number): number => text.slice(0, position).split('\n').length;

/** The token tree, given up as soon as it is too deep or too long. The lexer and this parser do not recurse; what comes after them does. */
function tokensOf(text: string, name: string): Parameters<Composer['compose']>[0] {
  const parser = new Parser();
  const tokens = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++lexemes > mostLexemes) throw new ConfigFault(`${name}: YAML of more than ${mostLexemes} marks`);
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > deepest) throw new ConfigFault(`${name}: nested deeper than ${deepest}`);
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}
