/** Small drawings beside words; fonts differ in which signs they have. Never alone: a word or a label is beside each. */

const paths = {
  search: 'M7 12a5 5 0 1 0 0-10a5 5 0 0 0 0 10M10.600 10.600L14 14',
  link: 'M6.500 9.500l3-3M5 7.500l-1.500 1.500a2.500 2.500 0 0 0 3.500 3.500l1.500-1.500M11 8.500l1.500-1.500a2.500 2.500 0 0 0-3.500-3.500l-1.500 1.500',
  terminal: 'M2 3h12v10h-12zM4.500 6l2 2l-2 2M8.500 10h3',
  copy: 'M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3',
  system: 'M2 3h12v8h-12zM6 14h4M8 11v3',
  light:
    'M8 11a3 3 0 1 0 0-6a3 3 0 0 0 0 6M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.500 1.500M11.500 11.500l1.500 1.500M13 3l-1.500 1.500M4.500 11.500l-1.500 1.500',
  dark: 'M13 9.500a5.500 5.500 0 1 1-6.500-6.500a4.500 4.500 0 0 0 6.500 6.500z',
  help: 'M5.500 6a2.500 2.500 0 1 1 3.500 2.300c-.7.3-1 .7-1 1.500M8 12.500v.200',
  save: 'M8 2v7.500M5 6.500l3 3l3-3M2.500 10.500v3h11v-3',
  close: 'M4 4l8 8M12 4l-8 8',
} as const;

export function Icon({ name }: { readonly name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
