-- CreateTable
CREATE TABLE "EarlierReading" (
    "coredumpId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "fingerprint" TEXT,
    "parsedAt" DATETIME,
    CONSTRAINT "EarlierReading_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "LostRaw" (
    "coredumpId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "noticedAt" DATETIME NOT NULL,
    CONSTRAINT "LostRaw_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "LostElf" (
    "firmwareId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "noticedAt" DATETIME NOT NULL,
    CONSTRAINT "LostElf_firmwareId_fkey" FOREIGN KEY ("firmwareId") REFERENCES "Firmware" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
