// What was dropped on a page: files, and the files of folders, however deep.

/** All files; each file of a folder gets that folder's name as `folder`. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map((entry) => read(entry, entry.isDirectory ? entry.name : "")))).flat();
}

async function read(entry, folder) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
    return [Object.assign(file, { folder })];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.sort((a, b) => a.name.localeCompare(b.name)).map((child) => read(child, folder)))).flat();
}
