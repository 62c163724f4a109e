/**
 * Action: shows a dialog above everything while it is in the document, and gives the focus back to where it was. The
 * browser does so only for a dialog that is closed, not for one that is taken away.
 */
export function modal(dialog: HTMLDialogElement) {
  const before = document.activeElement;
  dialog.showModal();
  return {
    destroy: () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    },
  };
}
