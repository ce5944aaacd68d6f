import type { Device } from '../../runtime/runtime.js'
import { gemmWork, machineGemms, repeatsOf } from '../bench/gemm-sizes.js'
import { gemmProgram } from '../bench/programs/gemm-program.js'

const runs = 3

/** 10⁹ floating-point operations a second that large matrix products alone reach here now; takes about a second. */
export async function gemmRate({
  device,
  threads,
}: {
  device: Device
  threads: number | undefined
}): Promise<number> {
  const program = await gemmProgram(
    { kind: 'gemm', sizes: machineGemms },
    { device, threads, precision: 'fp32', profilePrefix: undefined },
  )
  try {
    let best = 0
    for (const [index, size] of machineGemms.entries()) {
      for (let run = 0; run < runs; run++) {
        const start = performance.now()
        await program.run({ kind: 'gemm', index })
        const ms = performance.now() - start
        best = Math.max(best, (2 * gemmWork(size) * repeatsOf(size)) / (1e6 * ms))
      }
    }
    return best
  } finally {
    await program.dispose()
  }
}
