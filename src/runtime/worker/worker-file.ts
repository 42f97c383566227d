import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The one place that names the entry file of a worker: beside this file, and with its extension, in `src/` and in `dist/`. */
export const WORKER_FILE = fileURLToPath(new URL(`./worker-entry${extname(import.meta.filename)}`, import.meta.url));
