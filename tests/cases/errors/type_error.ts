interface Row { id: number }
const rows: Row[] = [];
return rows[0].id;
