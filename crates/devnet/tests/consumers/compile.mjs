// SPDX-License-Identifier: Apache-2.0
// Writes the creation code of every contract here as <Name>.hex, with the compiler that contracts/ pins.
// `node compile.mjs --check` writes nothing and fails if a file would change.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const here = new URL('.', import.meta.url)
const contracts = new URL('../../../../contracts/', here)
// Named as from the repository's root, where their imports lead.
const folder = 'crates/devnet/tests/consumers/'
const solc = createRequire(new URL('package.json', contracts))('solc')

const sources = Object.fromEntries(
  readdirSync(here)
    .filter((name) => name.endsWith('.sol'))
    .map((name) => [`${folder}${name}`, { content: readFileSync(new URL(name, here), 'utf8') }]),
)
const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: 'Solidity',
      sources,
      settings: {
        evmVersion: 'osaka',
        optimizer: { enabled: true, runs: 200 },
        metadata: { bytecodeHash: 'none', appendCBOR: false },
        outputSelection: { '*': { '*': ['evm.bytecode.object'] } },
      },
    }),
  ),
)
const errors = (output.errors ?? []).filter((error) => error.severity === 'error')
if (errors.length > 0) {
  console.error(errors.map((error) => error.formattedMessage).join('\n'))
  process.exit(1)
}

const check = process.argv.includes('--check')
let stale = 0
for (const name of ['Recorder']) {
  const file = new URL(`${name}.hex`, here)
  const hex = `${output.contracts[`${folder}${name}.sol`][name].evm.bytecode.object}\n`
  if (!check) {
    writeFileSync(file, hex)
  } else if (readFileSync(file, 'utf8') !== hex) {
    console.error(`${fileURLToPath(file)} is stale: run node compile.mjs`)
    stale += 1
  }
}
process.exit(stale === 0 ? 0 : 1)
