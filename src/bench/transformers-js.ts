/** What is used of transformers.js, which is no dependency: whoever wants the comparison installs it. */
interface TransformersJs {
  readonly env: { version: string; allowRemoteModels: boolean }
  pipeline(
    task: 'image-classification',
    folder: string,
    options: { dtype: 'fp32'; device: 'cpu'; session_options: { intraOpNumThreads?: number } },
  ): Promise<Classifier>
}

interface Classifier {
  (pictures: readonly string[]): Promise<unknown>
  dispose(): Promise<unknown>
}

export const packageName = '@huggingface/transformers'

/**
 * A classifier of transformers.js on the processor. Imports nothing of blvit: where the start of a process is measured, ours must
 * not be in its time.
 * @param folder in transformers.js's form
 * @throws Error of Node if the package isn't there, of transformers.js if it can't load the folder
 */
export async function transformersClassifier(
  folder: string,
  { threads }: { threads?: number | undefined },
): Promise<{ version: string; classify: Classifier }> {
  const { env, pipeline }: TransformersJs = await import(packageName)
  env.allowRemoteModels = false
  const session = threads === undefined ? {} : { intraOpNumThreads: threads }
  const options = { dtype: 'fp32', device: 'cpu', session_options: session } as const
  return { version: env.version, classify: await pipeline('image-classification', folder, options) }
}
