-- CreateTable
CREATE TABLE "Installation" (
    "id" INTEGER NOT NULL,
    "uuid" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "importingFrom" TEXT,

    CONSTRAINT "Installation_pkey" PRIMARY KEY ("id")
);
