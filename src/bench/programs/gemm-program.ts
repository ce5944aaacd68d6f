import { loadGemm } from '../../engine/gemm.js'
import { chooseRuntime } from '../../runtime/node/choose.js'
import type { Job, Program, ProgramOptions, Workload } from '../messages.js'

/** Runs products of some sizes, each alone. */
export async function gemmProgram(
  { sizes }: Extract<Workload, { kind: 'gemm' }>,
  { device, threads, precision }: ProgramOptions,
): Promise<Program> {
  const { runtime } = await chooseRuntime(device, { thread: 'caller' })
  const products = await Promise.all(sizes.map((size) => loadGemm(runtime, size, { threads, precision })))
  const run = async (job: Job) => {
    const product = job.kind === 'gemm' ? products[job.index] : undefined
    if (!product) throw new Error('blvit bug: not a job of a product')
    await product.run()
  }
  const dispose = async () => {
    for (const product of products) await product.dispose()
  }
  return { engine: runtime.description, run, endProfile: async () => {}, dispose }
}
