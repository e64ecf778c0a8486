// SPDX-License-Identifier: Apache-2.0
// Deploys the contracts to a chain, or checks that they are there:
//
//   SUBROSA_DEPLOYER_KEY=0x… node script/deploy.mjs --rpc URL --config FILE [--out FILE]
//
// The key is a funded account's; it needs no rights. Writes deployments/<chain id>.json, prints it, and
// exits with 3 if calls are left for the administrator to make, which it lists. See deployments/README.md.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createPublicClient, defineChain, http, walletActions } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { deploy } from './deploy/deployment.mjs';

const LEFT_FOR_ADMINISTRATOR = 3;
const CURRENCY = { name: 'Ether', symbol: 'ETH', decimals: 18 };

try {
  process.exitCode = await main();
} catch (error) {
  console.error([error.shortMessage ?? error.message, error.details].filter(Boolean).join(' '));
  process.exitCode = 1;
}

async function main() {
  const { values } = parseArgs({ options: { rpc: { type: 'string' }, config: { type: 'string' }, out: { type: 'string' } } });
  const key = process.env.SUBROSA_DEPLOYER_KEY;
  if (!values.rpc || !values.config) throw new Error('--rpc URL and --config FILE are needed');
  if (!key) throw new Error('SUBROSA_DEPLOYER_KEY is needed: the private key of the account that pays');

  const transport = http(values.rpc);
  const id = await createPublicClient({ transport }).getChainId();
  const chain = defineChain({ id, name: `chain ${id}`, nativeCurrency: CURRENCY, rpcUrls: { default: { http: [values.rpc] } } });
  const client = createPublicClient({ chain, transport, cacheTime: 0 }).extend(walletActions);

  const path = values.out ?? join(dirname(fileURLToPath(import.meta.url)), '..', 'deployments', `${id}.json`);
  const previous = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  const configuration = JSON.parse(readFileSync(values.config, 'utf8'));
  const { record, left, unnamed, unadded } = await deploy(client, privateKeyToAccount(key), configuration, previous);

  const text = `${JSON.stringify(record, null, 2)}\n`;
  writeFileSync(path, text);
  process.stdout.write(text);
  console.error(`written: ${path}`);
  const { address } = record.contracts.SubrosaRegistry;
  if (unadded) console.error(`left for a curator: addRuntime(${unadded}) on the registry ${address}`);
  if (unnamed) {
    console.error(
      `left for an appointer: setDcap(${unnamed}, accepted TCB statuses) on the registry ${address}, ` +
        'and setFamily with a minimum TCB evaluation number for each family that registers by quote',
    );
  }
  if (left.length === 0) return 0;
  console.error('left for the administrator:');
  for (const { what, to, data } of left) console.error(`  ${what}: ${to} ${data}`);
  return LEFT_FOR_ADMINISTRATOR;
}
