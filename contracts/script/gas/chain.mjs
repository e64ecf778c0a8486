// SPDX-License-Identifier: Apache-2.0
// A throwaway anvil whose blocks are mined one transaction at a time, so that every number in a
// receipt can be had again.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTestClient, encodeDeployData, encodeFunctionData, http, publicActions, walletActions } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const mnemonic = 'test test test test test test test test test test test junk';
const genesis = 1_700_000_000;

/** Starts anvil on a free loopback port. Call `stop` when done, whatever happened. */
export async function start({ hardfork = 'osaka', tracing = false } = {}) {
  const child = spawn(
    executable(),
    [
      ...['--port', '0', '--host', '127.0.0.1', '--hardfork', hardfork, '--no-mining', '--order', 'fifo'],
      ...['--timestamp', String(genesis), '--gas-limit', '300000000', '--base-fee', '1000000000'],
      ...(tracing ? ['--steps-tracing'] : []),
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  const url = await listening(child, exited);
  const client = createTestClient({ chain: foundry, mode: 'anvil', transport: http(url, { maxResponseBodySize: 2 ** 28 }), cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions);

  let last;
  const send = sender(client);
  return {
    client,
    /** The receipt of the transaction sent last. */
    last: () => last,
    account: (index) => mnemonicToAccount(mnemonic, { addressIndex: index }),
    send: async (...given) => (last = await send(...given)),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Sends transactions one by one, each into a block of its own, 12 s after the last one or at `time`; throws if one
 * reverts. */
function sender(client) {
  return async function send(account, { abi, address, functionName, args = [], value = 0n, bytecode }, time) {
    const data = bytecode
      ? encodeDeployData({ abi, bytecode, args })
      : encodeFunctionData({ abi, functionName, args });
    const hash = await client.sendTransaction({
      account,
      to: address,
      data,
      value,
      gas: 16_000_000n,
      maxFeePerGas: 3_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
    });
    const { timestamp } = await client.getBlock();
    await client.setNextBlockTimestamp({ timestamp: time ?? timestamp + 12n });
    await client.mine({ blocks: 1 });
    const receipt = await client.getTransactionReceipt({ hash });
    if (receipt.status !== 'success') {
      throw new Error(`${functionName ?? 'deployment'} reverted in block ${receipt.blockNumber}`);
    }
    return receipt;
  };
}

/** The address anvil says it listens on. */
async function listening(child, exited) {
  const lines = createInterface({ input: child.stdout });
  const found = new Promise((resolve) => {
    lines.on('line', (line) => {
      const match = /^Listening on (127\.0\.0\.1:\d+)/.exec(line);
      if (match) resolve(`http://${match[1]}`);
    });
  });
  return Promise.race([
    found,
    exited.then(([code]) => {
      throw new Error(`anvil exited with ${code} before it listened`);
    }),
  ]);
}

/** The platform's own binary: a signal to npm's launcher would not reach it. */
function executable() {
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch];
  const path = join(root, 'node_modules', '@foundry-rs', `anvil-${process.platform}-${arch}`, 'bin', 'anvil');
  if (!existsSync(path)) throw new Error(`no anvil at ${path}; run npm ci in contracts/`);
  return path;
}
