// SPDX-License-Identifier: Apache-2.0
// Deploying where an address depends on nothing but the code, its arguments and a salt: through the
// CREATE2 deployer that stands at one and the same address on every chain
// (https://github.com/Arachnid/deterministic-deployment-proxy).

import { concatHex, encodeDeployData, getContractAddress, hexToBytes, keccak256, parseEther, recoverTransactionAddress } from 'viem';

/** The deployer. It takes salt ‖ initialization code. */
export const CREATE2_DEPLOYER = '0x4e59b44847b379578588920cA78FbF26c0B4956C';

/** Its code, whole. */
const DEPLOYER_CODE =
  '0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3';

/** Creates the deployer. Its signature was made up, so nobody has the key of the account it recovers to. */
const ONE_TIME_TRANSACTION =
  '0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222';
/** 100,000 gas at 100 gwei, as that transaction offers. */
const ONE_TIME_COST = parseEther('0.01');

/** Makes sure that the deployer exists and is what it should be. Gives whether it had to be created. */
export async function ensureDeployer(client, account) {
  if (await isDeployer(client)) return false;
  const signer = await recoverTransactionAddress({ serializedTransaction: ONE_TIME_TRANSACTION });
  const missing = ONE_TIME_COST - (await client.getBalance({ address: signer }));
  if (missing > 0n) await mined(client, await client.sendTransaction({ account, to: signer, value: missing }));
  await mined(client, await client.sendRawTransaction({ serializedTransaction: ONE_TIME_TRANSACTION }));
  if (!(await isDeployer(client))) throw new Error(`creating the CREATE2 deployer left no code at ${CREATE2_DEPLOYER}`);
  return true;
}

/** Where a contract with these constructor arguments belongs. */
export function addressOf({ artifact, args, salt }) {
  return getContractAddress({ opcode: 'CREATE2', from: CREATE2_DEPLOYER, salt, bytecode: initialization(artifact, args) });
}

/**
 * Deploys a contract unless it is there, and checks in either case that its code is the artifact's.
 * Gives its address, the hash of its code, and the receipt if it was deployed now.
 */
export async function ensureContract(client, account, { artifact, args, salt }) {
  const address = addressOf({ artifact, args, salt });
  let receipt;
  if (!(await client.getCode({ address }))) {
    const data = concatHex([salt, initialization(artifact, args)]);
    receipt = await mined(client, await client.sendTransaction({ account, to: CREATE2_DEPLOYER, data }));
  }
  const code = await client.getCode({ address });
  if (!code) throw new Error(`${artifact.contractName}: the transaction left no code at ${address}`);
  if (!isCodeOf(artifact, code)) throw new Error(`${artifact.contractName}: the code at ${address} is not the artifact's`);
  return { address, codeHash: keccak256(code), receipt };
}

/** Whether code on chain is an artifact's, whatever values its immutable variables were given. */
export function isCodeOf({ deployedBytecode }, code) {
  const [expected, found] = [deployedBytecode, code].map((hex) => hexToBytes(hex));
  if (expected.length !== found.length) return false;
  for (let i = 0; i < expected.length; i++) {
    if (expected[i] !== found[i]) return false;
    // An immutable variable is pushed as a whole word, of which the compiler knows nothing.
    if (expected[i] === PUSH32 && isZero(expected.subarray(i + 1, i + 33))) i += 32;
  }
  return true;
}

/** Waits for a transaction's receipt; throws if it reverted. */
export async function mined(client, hash) {
  const receipt = await client.waitForTransactionReceipt({ hash });
  if (receipt.status !== 'success') throw new Error(`transaction ${hash} reverted in block ${receipt.blockNumber}`);
  return receipt;
}

async function isDeployer(client) {
  const code = await client.getCode({ address: CREATE2_DEPLOYER });
  if (code && code !== DEPLOYER_CODE) throw new Error(`something else than the CREATE2 deployer is at ${CREATE2_DEPLOYER}`);
  return Boolean(code);
}

function initialization({ abi, bytecode }, args) {
  return encodeDeployData({ abi, bytecode, args });
}

function isZero(bytes) {
  return bytes.length === 32 && bytes.every((byte) => byte === 0);
}

const PUSH32 = 0x7f;
