/** This package's own folder: where configs/, models/ and python/ lie, whatever the working directory. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const packageRoot = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
