// SPDX-License-Identifier: Apache-2.0
// Writes dist/: the ABIs as a JavaScript module and its types, which name every function and argument
// literally, as viem and abitype want them.

import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const header = '// SPDX-License-Identifier: Apache-2.0\n// Generated from artifacts/ by script/abi-modules.mjs.\n';

const abis = readdirSync(join(root, 'artifacts'))
  .sort()
  .map((file) => JSON.parse(readFileSync(join(root, 'artifacts', file), 'utf8')))
  .map(({ contractName, abi }) => [`${contractName[0].toLowerCase()}${contractName.slice(1)}Abi`, abi]);

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
write('abi.js', ([name, abi]) => `export const ${name} = ${JSON.stringify(abi)};`);
write('abi.d.ts', ([name, abi]) => `export declare const ${name}: ${type(abi)};`);

function write(file, line) {
  writeFileSync(join(dist, file), `${header}${abis.map(line).join('\n')}\n`);
}

/** A value's most literal type. */
function type(value) {
  if (Array.isArray(value)) return `readonly [${value.map(type).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `readonly ${key}: ${type(inner)}`)
    .join('; ')} }`;
}
