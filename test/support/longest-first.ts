import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those with long files come first, those with short ones fill what is left of each processor's time. */
const projects = ['alone', 'together', 'quick']

/** Files of more than some ten seconds. Begun last, one of them would run on by itself while the other processors rest. */
const longest = [
  'interop/chromium',
  'trainer/train',
  'tasks/many-pictures',
  'models/blvit-gradients',
  'interop/transformers-js',
  'web/page',
  'golden/golden',
  'cli/bench',
  'experiments/reproduce',
  'docs/examples',
  'cli/classify',
  'interop/web-entry',
  'runtime/node/native-webgpu',
  'finetune/finetune',
  'tasks/node/export/export-onnx',
  'training/training-session',
  'cli/compare',
  'cli/eval',
  'cli/merge',
  'cli/distill',
  'trainer/distill',
  'docs/server',
  'bench/training/bench-training',
  'runtime/node/telemetry',
]

function placeOf({ moduleId, project }: TestSpecification): number {
  const place = longest.findIndex((file) => moduleId.endsWith(`/test/${file}.test.ts`))
  return projects.indexOf(project.name) * (longest.length + 1) + (place < 0 ? longest.length : place)
}

/** Files of a project follow each other, so that they can share processes; of the rest Vitest's own order decides. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files)
    return usual.toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}
