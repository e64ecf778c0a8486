// SPDX-License-Identifier: Apache-2.0
// The deploy script against a throwaway chain.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bytesToHex, concatHex, encodeFunctionData, keccak256, numberToHex, pad, toFunctionSelector, toHex } from 'viem';
import { CREATE2_DEPLOYER, isCodeOf } from '../deploy/create2.mjs';
import { familyOf } from '../deploy/chain.mjs';
import { start } from '../gas/chain.mjs';
import { violations } from './schema.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const schema = JSON.parse(readFileSync(join(root, 'deployments', 'schema.json'), 'utf8'));
const artifact = (name) => JSON.parse(readFileSync(join(root, 'artifacts', `${name}.json`), 'utf8'));
const day = 86_400;
/** Intel's SGX Root CA, and a root of nobody. */
const roots = ['0xa0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e', toHex(7, { size: 32 })];

let chain;
let directory;
let clean;
let accounts;

before(async () => {
  chain = await start();
  directory = mkdtempSync(join(tmpdir(), 'subrosa-deploy-'));
  await chain.client.setAutomine(true);
  const [admin, guardian, curator, appointer, stranger] = [0, 1, 2, 3, 4].map(chain.account);
  accounts = { admin, guardian, curator, appointer, stranger };
  clean = await chain.client.snapshot();
});

after(async () => {
  await chain?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Every test starts on the empty chain. */
async function fresh() {
  await chain.client.revert({ id: clean });
  clean = await chain.client.snapshot();
  await chain.client.setAutomine(true);
  for (const file of readdirSync(directory)) rmSync(join(directory, file));
}

test('deploys everything, governs as configured, and does nothing the second time', async () => {
  await fresh();
  const first = await run(accounts.admin);
  assert.equal(first.code, 0, first.stderr);
  const record = JSON.parse(first.stdout);
  assert.deepEqual(violations(schema, record), []);
  assert.deepEqual(record.chain, { family: 'ethereum', blockHashHistory: true, p256Precompile: true });
  for (const [name, { address, codeHash, transaction }] of Object.entries(record.contracts)) {
    const code = await chain.client.getCode({ address });
    assert.equal(keccak256(code), codeHash, name);
    assert.ok(transaction, name);
  }
  const oracle = { abi: artifact('SubrosaOracle').abi, address: record.contracts.SubrosaOracle.address };
  const read = (contract, functionName) => chain.client.readContract({ ...contract, functionName });
  assert.equal(await read(oracle, 'registry'), record.contracts.SubrosaRegistry.address);
  const registry = registryOf(record);
  assert.equal(await read(registry, 'authority'), record.contracts.AccessManager.address);
  assert.equal(await read(registry, 'activationDelay'), 2 * day);

  const dcap = { abi: artifact('SubrosaDcap').abi, address: record.contracts.SubrosaDcap.address };
  for (const root of roots) {
    assert.equal(await chain.client.readContract({ ...dcap, functionName: 'isRoot', args: [root] }), true);
  }
  assert.equal(record.contracts.SubrosaDcap.p256, toHex(0x100, { size: 20 }));
  // Whom the registry believes is the appointer's to say, after the delay.
  assert.deepEqual(await read(registry, 'dcapVerification'), [toHex(0, { size: 20 }), 0]);
  assert.match(first.stderr, new RegExp(`appointer: setDcap\\(${dcap.address},`));
  assert.match(first.stderr, new RegExp(`curator: addRuntime\\(1\\) on the registry ${registry.address}`));

  const block = await chain.client.getBlockNumber();
  const second = await run(accounts.admin);
  assert.equal(second.code, 0, second.stderr);
  assert.equal(second.stdout, first.stdout);
  assert.equal(await chain.client.getBlockNumber(), block, 'no transaction was sent');
});

test('roles do what they are for and nothing else, and the administrator has to wait', async () => {
  await fresh();
  const record = JSON.parse((await run(accounts.admin)).stdout);
  const registry = registryOf(record);
  const manager = { abi: artifact('AccessManager').abi, address: record.contracts.AccessManager.address };
  const abi = [...registry.abi, ...manager.abi.filter(({ type }) => type === 'error')];
  const attempt = async (account, functionName, args) => {
    try {
      await chain.client.simulateContract({ ...registry, abi, account: account.address, functionName, args });
      return 'allowed';
    } catch (error) {
      return error.walk((cause) => cause.data?.errorName)?.data.errorName ?? error.message;
    }
  };
  const word = toHex('w', { size: 32 });
  const zero = toHex(0, { size: 32 });
  const signer = accounts.stranger.address;
  const duties = {
    guardian: [
      ['suspend', [3, 0, toHex(1, { size: 32 })]],
      ['suspend', [6, 1, zero]],
    ],
    curator: [
      ['addMeasurement', [word, 1, word]],
      ['addConfig', [word, 1]],
      ['addRuntime', [1]],
    ],
    appointer: [
      ['setVerifier', [signer, true]],
      ['setVerifierThreshold', [2]],
      ['setDcap', [signer, 2]],
      ['setFamily', [1, 0, false]],
      ['lift', [6, 1, zero]],
      ['revokeSigner', [signer]],
      ['revokeVerifier', [signer]],
      ['revokeDcap', [signer]],
      ['denyProduct', [1, word]],
      ['allowProduct', [1, word]],
      ['denyMachine', [word, true]],
      ['allowMachine', [1, word, true]],
      ['restrictMachines', [1, true]],
      ['revokeMeasurement', [word, zero]],
      ['removeConfig', [word]],
    ],
  };
  for (const [role, calls] of Object.entries(duties)) {
    for (const [functionName, args] of calls) {
      for (const [name, account] of Object.entries(accounts)) {
        const allowed = name === 'appointer' ? 'AccessManagerNotScheduled' : 'allowed';
        const expected = name === role ? allowed : 'AccessManagedUnauthorized';
        assert.equal(await attempt(account, functionName, args), expected, `${name} calls ${functionName}`);
      }
    }
  }

  const adding = { ...registry, account: accounts.curator, functionName: 'addRuntime', args: [1] };
  const added = await chain.client.waitForTransactionReceipt({ hash: await chain.client.writeContract(adding) });
  assert.equal(added.status, 'success');
  for (const [name, account] of Object.entries(accounts)) {
    const expected = name === 'appointer' ? 'AccessManagerNotScheduled' : 'AccessManagedUnauthorized';
    assert.equal(await attempt(account, 'withdrawRuntime', [1, 0]), expected, `${name} calls withdrawRuntime`);
  }
  // What a curator may, and only a curator: there is nothing to schedule of it yet.
  const schedule = { keyGroup: 1, keyEpoch: 1, members: [], recovery: 2n << 248n, custodians: [], continues: false, notBefore: 0 };
  for (const [name, account] of Object.entries(accounts)) {
    const [scheduling, retiring] = name === 'curator' ? ['EpochSetMalformed', 'EpochNotPast'] : Array(2).fill('AccessManagedUnauthorized');
    assert.equal(await attempt(account, 'scheduleEpoch', [schedule]), scheduling, `${name} calls scheduleEpoch`);
    assert.equal(await attempt(account, 'retireEpoch', [1, 1, 0]), retiring, `${name} calls retireEpoch`);
  }
  assert.doesNotMatch((await run(accounts.admin)).stderr, /addRuntime/);

  const grant = { ...manager, functionName: 'grantRole', args: [2n, signer, 0] };
  await assert.rejects(chain.client.simulateContract({ ...grant, account: accounts.admin.address }), /AccessManagerNotScheduled|AccessManagerUnauthorizedCall/);
  // What is scheduled can be executed after the delay.
  const data = encodeFunctionData({ abi: registry.abi, functionName: 'setVerifier', args: [signer, true] });
  const act = async (functionName, args) => {
    const hash = await chain.client.writeContract({ ...manager, account: accounts.appointer, functionName, args });
    assert.equal((await chain.client.waitForTransactionReceipt({ hash })).status, 'success');
  };
  await act('schedule', [registry.address, data, 0]);
  await chain.client.increaseTime({ seconds: 3 * day });
  await chain.client.mine({ blocks: 1 });
  await act('execute', [registry.address, data]);
  assert.equal(await chain.client.readContract({ ...registry, functionName: 'isVerifier', args: [signer] }), true);
});

test('addresses do not depend on who deploys, and a stranger leaves the roles to the administrator', async () => {
  await fresh();
  const byAdmin = JSON.parse((await run(accounts.admin)).stdout);
  await fresh();
  const byStranger = await run(accounts.stranger);
  assert.equal(byStranger.code, 3, byStranger.stderr);
  const addresses = ({ contracts }) => Object.values(contracts).map(({ address, codeHash }) => [address, codeHash]);
  assert.deepEqual(addresses(JSON.parse(byStranger.stdout)), addresses(byAdmin));
  assert.match(byStranger.stderr, /make 0x[0-9a-fA-F]{40} a guardian: 0x/);

  const resumed = await run(accounts.admin);
  assert.equal(resumed.code, 0, resumed.stderr);
});

test('the roots alone, in any order, decide where the verification of quotes is', async () => {
  const at = async (changes) => {
    await fresh();
    const { stdout, stderr } = await run(accounts.admin, changes);
    assert.ok(stdout, stderr);
    return JSON.parse(stdout).contracts.SubrosaDcap.address;
  };
  const here = await at({});
  assert.equal(await at({ rootIds: [...roots].reverse().map((root) => `0x${root.slice(2).toUpperCase()}`) }), here);
  assert.equal(await at({ admin: accounts.stranger.address }), here);
  assert.notEqual(await at({ rootIds: [roots[0]] }), here);
});

test('once the appointer has named it, nothing is said of the verification of quotes', async () => {
  await fresh();
  const record = JSON.parse((await run(accounts.admin)).stdout);
  const registry = registryOf(record);
  const manager = { abi: artifact('AccessManager').abi, address: record.contracts.AccessManager.address };
  const data = encodeFunctionData({ abi: registry.abi, functionName: 'setDcap', args: [record.contracts.SubrosaDcap.address, 2] });
  const act = async (functionName, args) => {
    const hash = await chain.client.writeContract({ ...manager, account: accounts.appointer, functionName, args });
    assert.equal((await chain.client.waitForTransactionReceipt({ hash })).status, 'success');
  };
  await act('schedule', [registry.address, data, 0]);
  await chain.client.increaseTime({ seconds: 3 * day });
  await chain.client.mine({ blocks: 1 });
  await act('execute', [registry.address, data]);
  const { code, stderr } = await run(accounts.admin);
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /setDcap/);
});

test('deploys a fallback where there is no P-256 precompile', async () => {
  const old = await start({ hardfork: 'prague' });
  try {
    await old.client.setAutomine(true);
    const { code, stdout, stderr } = await run(accounts.admin, {}, old.client.transport.url);
    assert.equal(code, 0, stderr);
    const record = JSON.parse(stdout);
    assert.deepEqual(violations(schema, record), []);
    assert.equal(record.chain.p256Precompile, false);
    const { p256 } = record.contracts.SubrosaDcap;
    assert.notEqual(p256, toHex(0x100, { size: 20 }));
    assert.ok((await old.client.getCode({ address: p256 }))?.length > 2);
  } finally {
    await old.stop();
  }
});

test('another salt, administrator or delay gives other addresses', async () => {
  await fresh();
  const seen = new Set();
  const variants = [{}, { salt: toHex(1, { size: 32 }) }, { activationDelay: 3 * day }, { admin: accounts.stranger.address }];
  for (const variant of variants) {
    const { stdout } = await run(accounts.admin, variant);
    seen.add(JSON.parse(stdout).contracts.SubrosaOracle.address);
  }
  assert.equal(seen.size, variants.length);
});

test('creates the CREATE2 deployer where it is missing', async () => {
  await fresh();
  await chain.client.setCode({ address: CREATE2_DEPLOYER, bytecode: '0x' });
  await chain.client.setNonce({ address: CREATE2_DEPLOYER, nonce: 0 });
  assert.equal(await chain.client.getCode({ address: CREATE2_DEPLOYER }), undefined);
  const { code, stderr } = await run(accounts.admin);
  assert.equal(code, 0, stderr);
});

test('refuses something else in the deployer’s or a contract’s place', async () => {
  await fresh();
  const record = JSON.parse((await run(accounts.admin)).stdout);
  await chain.client.setCode({ address: record.contracts.SubrosaOracle.address, bytecode: '0x6001' });
  const changed = await run(accounts.admin);
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /SubrosaOracle: the code at 0x[0-9a-fA-F]{40} is not the artifact's/);

  await chain.client.setCode({ address: CREATE2_DEPLOYER, bytecode: '0x6001' });
  const replaced = await run(accounts.admin);
  assert.equal(replaced.code, 1);
  assert.match(replaced.stderr, /something else than the CREATE2 deployer/);
});

test('code differs from its artifact if any byte but an immutable variable’s does', () => {
  const code = Uint8Array.from([0x60, 1, 0x7f, ...new Array(32).fill(0), 0x00]);
  const deployed = { deployedBytecode: bytesToHex(code) };
  const changed = (index, value) => bytesToHex(code.map((byte, i) => (i === index ? value : byte)));
  assert.ok(isCodeOf(deployed, changed(5, 9)));
  assert.ok(isCodeOf(deployed, changed(34, 9)));
  for (const index of [0, 1, 2, 35]) assert.ok(!isCodeOf(deployed, changed(index, 9)), `byte ${index}`);
  assert.ok(!isCodeOf(deployed, bytesToHex(code.subarray(1))));
});

test('tells by the chain itself which contracts fit it, and refuses one that it does not understand', async () => {
  assert.equal(await familyOf(chainLike({})), 'ethereum');
  // As Arbitrum One is: contracts see the parent chain's number, and hashes of nothing.
  const one = { seen: 22_000_000n, seenHash: toHex(1, { size: 32 }), system: own, systemHash: hashOf(own - 1n), estimate: 7n };
  assert.equal(await familyOf(chainLike(one)), 'arbitrum');
  // The precompile counts, even where contracts see what is right.
  assert.equal(await familyOf(chainLike({ ...one, seen: own, seenHash: hashOf(own - 1n) })), 'arbitrum');
  // The first block alone.
  assert.equal(await familyOf(chainLike({ at: 0n, seen: 0n, seenHash: toHex(0, { size: 32 }) })), 'ethereum');

  const refused = [
    [{ seen: 22_000_000n }, /22000000 where the chain is at 300000000/],
    [{ seenHash: toHex(1, { size: 32 }) }, /the hash of block 299999999/],
    [{ ...one, system: own - 5n }, /299999995 where the chain is at 300000000/],
    [{ ...one, systemHash: toHex(1, { size: 32 }) }, /the hash of block 299999999/],
    [{ ...one, systemHash: undefined }, /the hash of block 299999999/],
    [{ ...one, estimate: undefined }, /nothing answers at 0x0+6c/],
  ];
  for (const [given, fault] of refused) await assert.rejects(familyOf(chainLike(given)), fault);
  const away = chainLike({});
  away.call = async () => {
    throw new Error('connection refused');
  };
  await assert.rejects(familyOf(away), /connection refused/);
});

test('gives a chain with the precompiles of Arbitrum what counts by them', async () => {
  await fresh();
  const { client } = chain;
  await client.mine({ blocks: 3 });
  await client.setCode({ address: pad('0x64', { size: 20 }), bytecode: arbSys() });
  await client.setCode({ address: pad('0x6c', { size: 20 }), bytecode: '0x633b9aca005f5260205ff3' });
  const { code, stdout, stderr } = await run(accounts.admin);
  assert.equal(code, 0, stderr);
  const record = JSON.parse(stdout);
  assert.deepEqual(violations(schema, record), []);
  assert.equal(record.chain.family, 'arbitrum');
  for (const name of ['SubrosaRegistry', 'SubrosaOracle']) {
    const deployed = await client.getCode({ address: record.contracts[name].address });
    assert.ok(isCodeOf(artifact(`${name}Arbitrum`), deployed), name);
  }
  const again = await run(accounts.admin);
  assert.deepEqual(JSON.parse(again.stdout), record);
});

const own = 300_000_000n;

/** Of the block of this number, on the chain below. */
function hashOf(number) {
  return keccak256(toHex(number, { size: 32 }));
}

/** What `familyOf` asks of a chain; precompiles that have no answer are not there, or revert. */
function chainLike({ at = own, seen = own, seenHash = hashOf(own - 1n), system, systemHash, estimate }) {
  const answers = {
    [toFunctionSelector('arbBlockNumber()')]: system,
    [toFunctionSelector('arbBlockHash(uint256)')]: systemHash,
    [toFunctionSelector('getL1BaseFeeEstimate()')]: estimate,
  };
  return {
    getBlockNumber: async () => at,
    getBlock: async ({ blockNumber }) => ({ hash: hashOf(blockNumber) }),
    async call({ to, data }) {
      if (to === undefined) return { data: data.startsWith('0x43') ? toHex(seen, { size: 32 }) : seenHash };
      const answer = answers[data.slice(0, 10)];
      if (answer !== undefined) return { data: pad(numberToHex(BigInt(answer)), { size: 32 }) };
      if (system === undefined) return { data: undefined };
      throw Object.assign(new Error('execution reverted'), { code: 3 });
    },
  };
}

/** Code that answers as the precompile at 0x64 is documented to: the chain's own number, and the hashes of its last
 * 256 blocks; it reverts for any other. */
function arbSys() {
  return concatHex([
    '0x5f3560e01c',
    ...['0x8063', toFunctionSelector('arbBlockNumber()'), '0x14601b57'],
    ...['0x63', toFunctionSelector('arbBlockHash(uint256)'), '0x14602357'],
    '0x5f5ffd',
    // 0x1b: NUMBER
    '0x5b435f5260205ff3',
    // 0x23: BLOCKHASH, unless it is zero
    '0x5b600435408015603357',
    '0x5f5260205ff3',
    '0x5b5f5ffd',
  ]);
}

test('names every fault of a configuration before sending anything', async () => {
  await fresh();
  const block = await chain.client.getBlockNumber();
  const roles = { guardian: [], curator: ['0x12'], appointer: [accounts.appointer.address], king: [] };
  const { code, stderr } = await run(accounts.admin, { salt: '0x00', adminDelay: -1, roles, rootIds: ['0x12'], extra: 1 });
  assert.equal(code, 1);
  for (const part of ['salt:', 'rootIds:', 'adminDelay:', 'roles.guardian:', 'roles.curator:', 'roles.king:', 'extra:']) {
    assert.ok(stderr.includes(part), `${part} in ${stderr}`);
  }
  assert.equal(await chain.client.getBlockNumber(), block);
});

test('every committed deployments file follows the schema', () => {
  const files = readdirSync(join(root, 'deployments')).filter((file) => /^\d+\.json$/.test(file));
  for (const file of files) {
    const record = JSON.parse(readFileSync(join(root, 'deployments', file), 'utf8'));
    assert.deepEqual(violations(schema, record), [], file);
    assert.equal(`${record.chainId}.json`, file);
  }
});

test('the schema rejects what it should', async () => {
  await fresh();
  const record = JSON.parse((await run(accounts.admin)).stdout);
  const broken = [
    { ...record, chainId: 0 },
    { ...record, extra: 1 },
    { ...record, salt: '0x00' },
    { ...record, contracts: { ...record.contracts, SubrosaOracle: undefined } },
    { ...record, contracts: { ...record.contracts, SubrosaDcap: { ...record.contracts.SubrosaDcap, p256: undefined } } },
    { ...record, contracts: { ...record.contracts, SubrosaDcap: { ...record.contracts.SubrosaDcap, arguments: [[]] } } },
    { ...record, governance: { ...record.governance, roles: { ...record.governance.roles, curator: [] } } },
  ];
  for (const value of broken) assert.notDeepEqual(violations(schema, value), []);
});

function registryOf({ contracts }) {
  return { abi: artifact('SubrosaRegistry').abi, address: contracts.SubrosaRegistry.address };
}

/** Runs the script as a process. */
async function run(account, changes = {}, url = chain.client.transport.url) {
  const { admin, guardian, curator, appointer } = accounts;
  const configuration = {
    salt: toHex(0, { size: 32 }),
    rootIds: roots,
    admin: admin.address,
    adminDelay: 5 * day,
    appointerDelay: 2 * day,
    activationDelay: 2 * day,
    maximumLease: 30 * day,
    openingTimeout: day,
    suspensionCooldown: 7 * day,
    roles: { guardian: [guardian.address], curator: [curator.address], appointer: [appointer.address] },
    ...changes,
  };
  const config = join(directory, 'config.json');
  writeFileSync(config, JSON.stringify(configuration));
  const args = ['script/deploy.mjs', '--rpc', url, '--config', config];
  const child = spawn(process.execPath, [...args, '--out', join(directory, 'record.json')], {
    cwd: root,
    env: { ...process.env, SUBROSA_DEPLOYER_KEY: bytesToHex(account.getHdKey().privateKey) },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => (stdout += data));
  child.stderr.on('data', (data) => (stderr += data));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}
