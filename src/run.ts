#!/usr/bin/env node
/** The command line's entry: parse, start, wait, exit code. Nothing else. */
import { readFileSync } from 'node:fs';
import { main } from './cli/program.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

await main(process.argv, version);
