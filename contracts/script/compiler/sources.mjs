// SPDX-License-Identifier: Apache-2.0
// What the compiler says about the sources short of bytecode: syntax tree, ABI, storage layout. The
// compiler is the one from node_modules that makes the artifacts too; without code generation it
// takes seconds.

import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's directory. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Compiles everything under src/, and whatever `extra` sources are given by path.
 *
 * Gives solc's standard JSON output and the text of every file that took part, by path. Throws with
 * the compiler's own messages if there are errors.
 */
export function compile(extra = {}) {
  const solc = createRequire(join(root, 'package.json'))('solc');
  const texts = { ...extra };
  for (const path of solidity('src')) texts[path] = readFileSync(join(root, path), 'utf8');
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(Object.entries(texts).map(([path, content]) => [path, { content }])),
    settings: {
      evmVersion: 'osaka',
      outputSelection: { '*': { '*': ['abi', 'storageLayout'], '': ['ast'] } },
    },
  };
  const load = (path) => {
    texts[path] = readFileSync(place(path), 'utf8');
    return { contents: texts[path] };
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: load }));
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'));
  return { output, texts };
}

/** The nodes of one type anywhere below a syntax tree's node, in source order. */
export function nodes(tree, nodeType) {
  const found = [];
  const visit = (value) => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (value === null || typeof value !== 'object') return;
    if (value.nodeType === nodeType) found.push(value);
    Object.values(value).forEach(visit);
  };
  visit(tree);
  return found;
}

/** Paths of the Solidity files below a directory, sorted. */
function solidity(directory) {
  return readdirSync(join(root, directory), { recursive: true })
    .filter((file) => file.endsWith('.sol'))
    .map((file) => `${directory}/${file}`)
    .sort();
}

function place(path) {
  if (path.startsWith('@openzeppelin/')) return join(root, 'node_modules', path);
  throw new Error(`import of ${path} leads nowhere`);
}
