import type { Look } from './use-look.js'

/** What went wrong with a photo, and a way to try it again where that may help. */
export function Failure({ look }: { readonly look: Look }) {
  const { photo, failure, retry } = look
  if (failure === undefined) return null
  return (
    <p role="alert">
      {`${photo?.name}: ${failure}`}{' '}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </p>
  )
}
