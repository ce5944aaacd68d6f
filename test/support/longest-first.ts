import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take minutes. Begun last, one of them would run on alone while the other processors rest. */
const longest = [
  'cli/bench.test.ts',
  'interop/chromium.test.ts',
  'trainer/train.test.ts',
  'docs/examples.test.ts',
  'tasks/node/export/export-onnx.test.ts',
  'runtime/node/native-webgpu.test.ts',
  'tasks/node/evaluate/evaluate.test.ts',
  'fuzz/fuzz.test.ts',
]

function placeOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((file) => moduleId.endsWith(`/test/${file}`))
  return place < 0 ? longest.length : place
}

/** Vitest's own order, which goes by the durations that it remembers, behind the files that are known to be long. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files)
    return usual.toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}
