// SPDX-License-Identifier: Apache-2.0
// Compiles the example's contracts with the compiler of ../../contracts and writes artifacts/; with
// `--check`, fails instead if the committed ones differ.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const kit = join(here, '..', '..', 'contracts');
const solc = createRequire(join(kit, 'package.json'))('solc');
const check = process.argv.includes('--check');
const contracts = ['SealedBidAuction', 'AuctionHouse'];

// Where an import path leads.
const places = [
  ['subrosa/', join(kit, 'src/')],
  ['@openzeppelin/contracts/', join(kit, 'node_modules/@openzeppelin/contracts/')],
  ['contracts/', join(here, 'contracts/')],
];

const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: 'Solidity',
      sources: Object.fromEntries(
        contracts.map((name) => [`contracts/${name}.sol`, { content: read(`contracts/${name}.sol`) }]),
      ),
      settings: {
        evmVersion: 'osaka',
        optimizer: { enabled: true, runs: 1_000 },
        metadata: { bytecodeHash: 'none', appendCBOR: false },
        outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
      },
    }),
    { import: (path) => ({ contents: read(path) }) },
  ),
);
for (const { severity, formattedMessage } of output.errors ?? []) {
  console.error(formattedMessage);
  if (severity === 'error') process.exitCode = 1;
}
if (process.exitCode) process.exit();

mkdirSync(join(here, 'artifacts'), { recursive: true });
for (const name of contracts) {
  const { abi, evm } = output.contracts[`contracts/${name}.sol`][name];
  const artifact = {
    contractName: name,
    abi,
    bytecode: `0x${evm.bytecode.object}`,
    deployedBytecode: `0x${evm.deployedBytecode.object}`,
  };
  const text = `${JSON.stringify(artifact, null, 2)}\n`;
  const path = join(here, 'artifacts', `${name}.json`);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (check) {
    console.error(`artifacts/${name}.json differs from the sources; run node artifacts.mjs`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
  }
}

function read(path) {
  const [prefix, directory] = places.find(([prefix]) => path.startsWith(prefix)) ?? [];
  if (!prefix) throw new Error(`import of ${path} leads nowhere`);
  return readFileSync(join(directory, path.slice(prefix.length)), 'utf8');
}
