import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataFormat, DataSet } from '../data-set.js'
import { type FileSample, fileSamples } from '../file-samples.js'
import { openInstances } from '../instances-file.js'

const fileName = 'instances.json'

/** Pictures whose objects are marked by masks: a file in COCO's or LVIS's form, or a folder with one. */
export const instances: DataFormat = {
  name: 'instances',
  looks: `a folder with ${fileName}, or any .json of masks, in COCO's form`,
  recognises: async (path) => (await listOf(path)) !== undefined,
  find: async (path) => {
    const marked = await openInstances((await listOf(path)) ?? path)
    // what an object is called says nothing of a whole picture
    return { labels: [], withLabels: () => dataSetOf(path, marked) }
  },
}

async function listOf(path: string): Promise<string | undefined> {
  const list = /\.json$/i.test(path) ? path : join(path, fileName)
  return (await stat(list).catch(() => undefined))?.isFile() ? list : undefined
}

function dataSetOf(
  path: string,
  { pictures, folder, fingerprint }: Awaited<ReturnType<typeof openInstances>>,
): DataSet {
  const files = pictures.map(
    ({ name, annotations }): FileSample => ({ name, source: join(folder, name), objects: annotations }),
  )
  const list = fileSamples(path, files, {})
  return { ...list, fingerprint: async () => `${await list.fingerprint()} ${fingerprint}` }
}
