import { loadGemm } from '../../engine/gemm.js'
import { chooseRuntime } from '../../runtime/node/choose.js'
import type { Setting, Workload } from '../messages.js'
import type { Program, ProgramOptions } from './program.js'

/** Runs products of some sizes, each alone. */
export async function gemmProgram(
  { sizes }: Extract<Workload, { kind: 'gemm' }>,
  { device, threads, precision }: ProgramOptions,
): Promise<Program> {
  const { runtime } = await chooseRuntime(device, { thread: 'caller' })
  const products = await Promise.all(sizes.map((size) => loadGemm(runtime, size, { threads, precision })))
  const run = async (setting: Setting) => {
    const product = setting.kind === 'gemm' ? products[setting.index] : undefined
    if (!product) throw new Error('blvit bug: not a setting of a product')
    await product.run()
  }
  const dispose = async () => {
    for (const product of products) await product.dispose()
  }
  return { engine: runtime.description, run, endProfile: async () => {}, dispose }
}
