import { useEffect, useRef, useState } from 'preact/hooks'
import { type ChosenPhoto, chosenPhoto } from './chosen-photo.js'

function reasonOf(thrown: unknown): string {
  const { name } = thrown as { name?: unknown }
  if (name === 'NotAllowedError')
    return 'The camera may not be used here: allow it in the browser’s settings for this page.'
  if (name === 'NotFoundError') return 'There is no camera.'
  return `The camera can’t be used (${thrown instanceof Error ? thrown.message : thrown}).`
}

async function photoOf(video: HTMLVideoElement): Promise<ChosenPhoto> {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight)
  canvas.getContext('2d')?.drawImage(video, 0, 0)
  return chosenPhoto(await canvas.convertToBlob({ type: 'image/png' }), 'camera')
}

interface CameraProps {
  readonly onPhoto: (photo: ChosenPhoto) => void
  readonly onFailure: (message: string) => void
}

/** Shows what the camera sees until a photo is taken. */
export function Camera({ onPhoto, onFailure }: CameraProps) {
  const [stream, setStream] = useState<MediaStream>()
  const video = useRef<HTMLVideoElement>(null)
  const dialog = useRef<HTMLDialogElement>(null)
  const close = () => {
    for (const track of stream?.getTracks() ?? []) track.stop()
    setStream(undefined)
  }
  const open = async () => {
    try {
      if (!navigator.mediaDevices) throw new Error('only pages over https may')
      setStream(await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }))
    } catch (thrown) {
      onFailure(reasonOf(thrown))
    }
  }
  useEffect(() => {
    if (!stream || !video.current) return
    video.current.srcObject = stream
    dialog.current?.showModal()
  }, [stream])
  const take = async () => {
    if (!video.current) return
    const photo = await photoOf(video.current)
    close()
    onPhoto(photo)
  }
  return (
    <>
      <button type="button" onClick={open}>
        Camera
      </button>
      {stream && (
        <dialog ref={dialog} class="camera" aria-label="Camera" onClose={close}>
          <video ref={video} autoPlay playsInline muted />
          <p>
            <button type="button" class="main" onClick={take}>
              Take the photo
            </button>{' '}
            <button type="button" onClick={close}>
              Cancel
            </button>
          </p>
        </dialog>
      )}
    </>
  )
}
