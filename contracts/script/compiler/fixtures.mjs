// SPDX-License-Identifier: Apache-2.0
// Contracts that other crates' tests run, compiled with the compiler that is pinned here.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import solc from 'solc';

/** What fixtures import besides each other: `subrosa/…` from here, and what that imports in turn. */
function imported(path) {
  const root = path.startsWith('subrosa/') ? '../../src/' : '../../node_modules/';
  const file = new URL(root + path.replace(/^subrosa\//, ''), import.meta.url);
  return { contents: readFileSync(file, 'utf8') };
}

const guest = new URL('../../src/guest/SubrosaGuest.sol', import.meta.url);

/**
 * Writes the init code of the contracts `names` as <Name>.hex beside their sources; with `--check`, writes nothing
 * and fails if a file would change.
 *
 * @param here the folder with the sources, as a URL that ends in a slash
 * @param folder what the compiler takes it for, so that imports lead where they should
 * @param guestName what the compiler takes `SubrosaGuest.sol` for
 */
export function compileFixtures({ here, folder = '', guestName, names }) {
  const read = (url) => ({ content: readFileSync(url, 'utf8') });
  const files = readdirSync(here).filter((name) => name.endsWith('.sol'));
  const sources = Object.fromEntries(files.map((name) => [`${folder}${name}`, read(new URL(name, here))]));
  if (guestName) sources[guestName] = read(guest);

  const settings = {
    evmVersion: 'osaka',
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: 'none', appendCBOR: false },
    outputSelection: { '*': { '*': ['evm.bytecode.object'] } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings }), { import: imported }));
  const errors = (output.errors ?? []).filter((error) => error.severity === 'error');
  if (errors.length > 0) {
    console.error(errors.map((error) => error.formattedMessage).join('\n'));
    process.exit(1);
  }

  const check = process.argv.includes('--check');
  let stale = 0;
  for (const name of names) {
    const file = new URL(`${name}.hex`, here);
    const hex = `${output.contracts[`${folder}${name}.sol`][name].evm.bytecode.object}\n`;
    if (!check) {
      writeFileSync(file, hex);
    } else if (readFileSync(file, 'utf8') !== hex) {
      console.error(`${fileURLToPath(file)} is stale: run node compile.mjs`);
      stale += 1;
    }
  }
  process.exit(stale === 0 ? 0 : 1);
}
