import { useEffect, useState } from 'preact/hooks'
import { tellEngineNews } from '../engine-state.js'
import type { IncomingFile } from '../photo/incoming-files.js'
import type { SegmenterState } from '../worker/segmenter.js'
import { thread } from '../worker/thread.js'

/** The model that cuts out: kept from an earlier visit, or given on this one. */
export interface GivenModel {
  /** Undefined: none has been given. */
  readonly name?: string | undefined
  /** Once its weights were read. */
  readonly state?: SegmenterState | undefined
  /** The one that is being read in its place. */
  readonly opening?: string | undefined
  readonly failure?: string | undefined
}

/** The folder that files came in, else the name of the weights. */
function nameOf(files: readonly IncomingFile[]): string {
  const folder = files.find(({ file }) => file.name === 'config.json')
  const weights = files.find(({ file }) => file.name.endsWith('.safetensors'))
  return (
    folder?.folder ??
    (folder?.file.webkitRelativePath.split('/').at(-2) ||
      weights?.file.name.replace(/\.safetensors$/, '') ||
      'model')
  )
}

/** @param wanted whether anybody looks: before, the engine isn't started for it */
export function useModel(wanted: boolean) {
  const [model, setModel] = useState<GivenModel>({})
  useEffect(() => {
    if (!wanted) return
    void thread.call('keptSegmenter', undefined).then((name) => {
      setModel((before) => (before.name === undefined && name ? { ...before, name } : before))
    })
  }, [wanted])
  const open = async (files: readonly IncomingFile[]) => {
    const name = nameOf(files)
    setModel((before) => ({ ...before, opening: name, failure: undefined }))
    try {
      const given = { name, files: files.map(({ file }) => file) }
      const state = await thread.call('openSegmenter', given)
      setModel({ name, state })
      // the foot of the page lists what is kept
      tellEngineNews({ kept: name, ...(state.notKept !== undefined && { notKept: state.notKept }) })
    } catch (thrown) {
      // the one before is still there
      setModel(({ name: before, state }) => ({ name: before, state, failure: (thrown as Error).message }))
    }
  }
  return { model, open }
}
