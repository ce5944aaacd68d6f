import type { Program, ProgramOptions, Workload } from '../messages.js'

/**
 * Loads what a process of the benchmark measures, and nothing else: where another library's start is measured, ours
 * must not be in its time. A new kind of workload is its file and two lines here.
 */
export async function loadProgram(workload: Workload, options: ProgramOptions): Promise<Program> {
  switch (workload.kind) {
    case 'gemm':
      return (await import('./gemm-program.js')).gemmProgram(workload, options)
    case 'model':
      return (await import('./model-program.js')).modelProgram(workload, options)
    case 'many':
      return (await import('./many-program.js')).manyProgram(workload, options)
    case 'training':
      return (await import('./training-program.js')).trainingProgram(workload, options)
    case 'torch training':
      return (await import('./torch-program.js')).torchProgram(workload, options)
    case 'pictures':
      return (await import('./pictures-program.js')).picturesProgram(workload, options)
  }
}
