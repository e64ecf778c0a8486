// SPDX-License-Identifier: Apache-2.0
// Builds the contracts and writes the artifacts that the rest of the repository reads; with
// `--check`, fails instead if the committed ones differ.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forge } from './forge.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const directory = join(root, 'artifacts');
const out = join(root, 'out', 'artifacts');
const check = process.argv.includes('--check');

const contracts = [
  'SubrosaOracle',
  'SubrosaOracleArbitrum',
  'SubrosaRegistry',
  'SubrosaRegistryArbitrum',
  'SubrosaConsumer',
  'SubrosaLens',
  'SubrosaLensArbitrum',
  'SubrosaPrepaid',
  'SubrosaDcap',
  'SubrosaMailbox',
  'ISubrosaOracle',
  'ISubrosaRegistry',
  'ISubrosaConsumer',
  'ISubrosaLens',
  'ISubrosaPrepaid',
  'ISubrosaDcap',
  'ISubrosaMailbox',
  'ISubrosaSchema',
  'AccessManager',
];

build();
mkdirSync(directory, { recursive: true });

const stale = [];
const wanted = new Set(contracts.map((name) => `${name}.json`));
for (const name of contracts) {
  const path = join(directory, `${name}.json`);
  const text = artifact(name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale.push(`${name}.json`);
  if (!check) writeFileSync(path, text);
}
const unknown = readdirSync(directory).filter((file) => !wanted.has(file));

if (unknown.length > 0) {
  console.error(`artifacts/ holds files this script does not write: ${unknown.join(', ')}`);
  process.exit(1);
}
if (check && stale.length > 0) {
  console.error(`artifacts differ from the sources: ${stale.join(', ')}; run node script/artifacts.mjs`);
  process.exit(1);
}
console.error(check ? 'artifacts match the sources' : `artifacts written: ${stale.join(', ') || 'none changed'}`);

function build() {
  const { status, error } = spawnSync(forge, ['build'], {
    cwd: root,
    env: { ...process.env, FOUNDRY_PROFILE: 'artifacts' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** The registry answers what it has the code of governance for, too. */
function answered(own) {
  const governance = JSON.parse(readFileSync(join(out, 'SubrosaGovernance.sol', 'SubrosaGovernance.json'), 'utf8'));
  const text = (item) => JSON.stringify(item);
  const known = new Set(own.map(text));
  const more = governance.abi.filter((item) => item.type !== 'constructor' && !known.has(text(item)));
  return [...own.filter(({ type }) => type !== 'fallback'), ...more];
}

function artifact(name) {
  const built = JSON.parse(readFileSync(join(out, `${name}.sol`, `${name}.json`), 'utf8'));
  return `${JSON.stringify(
    {
      contractName: name,
      abi: ['SubrosaRegistry', 'SubrosaRegistryArbitrum'].includes(name) ? answered(built.abi) : built.abi,
      bytecode: built.bytecode.object,
      deployedBytecode: built.deployedBytecode.object,
    },
    null,
    2,
  )}\n`;
}
