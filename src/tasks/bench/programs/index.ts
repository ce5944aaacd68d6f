import type { Workload } from '../messages.js'
import { gemmProgram } from './gemm-program.js'
import { modelProgram } from './model-program.js'
import { picturesProgram } from './pictures-program.js'
import type { Program, ProgramOptions } from './program.js'

/** Loads what a process of the benchmark measures. A new kind of workload is its file and a line here. */
export function loadProgram(workload: Workload, options: ProgramOptions): Promise<Program> {
  switch (workload.kind) {
    case 'gemm':
      return gemmProgram(workload, options)
    case 'model':
      return modelProgram(workload, options)
    case 'pictures':
      return picturesProgram(workload, options)
  }
}
